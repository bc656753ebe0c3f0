// The status LED: groups of flashes, one group every four seconds; docs/hardware.md has the table.
#pragma once

#include <stdint.h>

namespace footfall {

// In the order of what it costs: of several that hold, the highest is shown.
enum class LedCode : uint8_t {
    kWell = 1,
    kNoWifi = 2,
    kNoAnswer = 3,
    kRefused = 4,
    kBeamBlocked = 5,
    kQueueTrouble = 6,
    kPortal = 7,  // blinks fast without a pause
};

struct LedFacts {
    bool portal_open = false;
    bool queue_trouble = false;      // a write failed, or the queue is full
    uint32_t beam_blocked_s = 0;     // the longer of the two
    bool refused = false;            // the latest answer was 401
    bool wifi_joined = false;
    uint32_t delivered_age_ms = 0;   // since a batch was last acknowledged, or since the start
};

constexpr uint32_t kBlockedAlarmS = 60;
constexpr uint32_t kDeliveredLateMs = 5 * 60'000;

LedCode led_code(const LedFacts& facts);

// Whether the LED is lit at this moment.
bool led_is_lit(LedCode code, uint32_t now_ms);

}  // namespace footfall
