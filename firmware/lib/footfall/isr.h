// FOOTFALL_ISR marks what an interrupt runs: on the ESP8266 it must stand in IRAM, since the flash may be busy.
// Code outside IRAM that an interrupt reaches stops the board at run time; no compiler tells (Arduino core 3.1.2 docs).
#pragma once

#if defined(ESP8266) || defined(FOOTFALL_IRAM)
#define FOOTFALL_ISR __attribute__((section(".iram.text.footfall")))
#else
#define FOOTFALL_ISR
#endif
