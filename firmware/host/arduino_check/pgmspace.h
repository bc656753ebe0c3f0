// Declarations only; see README.md.
#pragma once
#ifndef PROGMEM
#define PROGMEM
#endif
