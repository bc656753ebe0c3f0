// The status LED: one group of flashes every four seconds. docs/hardware.md, "Status LED", has the table.
#pragma once

#include <stdint.h>

namespace footfall {

// The number of flashes. If several apply, the LED shows the highest: lost counts come before delayed ones.
enum class LedCode : uint8_t {
    kWell = 1,
    kNoWifi = 2,
    kNoAnswer = 3,
    kRefused = 4,
    kBeamBlocked = 5,
    kQueueTrouble = 6,
    kPortal = 7,  // fast blinking without a pause
};

struct LedFacts {
    bool portal_open = false;
    bool queue_trouble = false;      // a write failed, or the queue is full
    uint32_t beam_blocked_s = 0;     // of the beam blocked for longer
    bool refused = false;            // the last answer was 401
    bool wifi_joined = false;
    uint32_t delivered_age_ms = 0;   // since the last acknowledged batch, or since power-up
};

constexpr uint32_t kBlockedAlarmS = 60;
constexpr uint32_t kDeliveredLateMs = 5 * 60'000;

LedCode led_code(const LedFacts& facts);

// Whether the LED is on at *now_ms*.
bool led_is_lit(LedCode code, uint32_t now_ms);

}  // namespace footfall
