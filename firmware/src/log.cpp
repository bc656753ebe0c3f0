#include "log.h"

#include <Arduino.h>
#include <stdarg.h>
#include <stdio.h>

void log_line(const char* format, ...) {
    char line[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    char seconds[24];
    snprintf(seconds, sizeof seconds, "%8lu ", static_cast<unsigned long>(millis() / 1000));
    Serial.print(seconds);
    Serial.println(line);
}
