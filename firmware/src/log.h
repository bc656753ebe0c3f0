// The serial log: one line per event, with the seconds since power-up. No secrets, no request bodies.
#pragma once

// Writes one line, cut at 200 characters.
void log_line(const char* format, ...) __attribute__((format(printf, 1, 2)));
