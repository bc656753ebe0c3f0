// Declarations only; see README.md. From cores/esp8266/Schedule.h of core 3.1.2.
#pragma once

#include <stdint.h>

#include <functional>

bool schedule_recurrent_function_us(const std::function<bool(void)>& fn, uint32_t repeat_us,
                                    const std::function<bool(void)>& alarm = nullptr);
