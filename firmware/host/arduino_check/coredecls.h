// Declarations only; see README.md. From cores/esp8266/coredecls.h of core 3.1.2.
#pragma once

#include <functional>

using BoolCB = std::function<void(bool)>;
using TrivialCB = std::function<void()>;

void settimeofday_cb(BoolCB&& cb);
void settimeofday_cb(const BoolCB& cb);
void settimeofday_cb(const TrivialCB& cb);
