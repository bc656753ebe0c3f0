// The serial log: one line a fact, with the seconds since the start. No secrets, no bodies.
#pragma once

// Write one line; longer ones are cut at 200 letters.
void log_line(const char* format, ...) __attribute__((format(printf, 1, 2)));
