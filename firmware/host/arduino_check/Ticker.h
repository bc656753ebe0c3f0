// Declarations only; see README.md. From libraries/Ticker/src/Ticker.h of core 3.1.2.
#pragma once

#include <stdint.h>

#include <functional>

class Ticker {
   public:
    typedef std::function<void(void)> callback_function_t;
    void attach_ms(uint32_t milliseconds, callback_function_t callback);
};
