#include "device/status_led.h"

namespace footfall {

LedCode led_code(const LedFacts& facts) {
    if (facts.portal_open) {
        return LedCode::kPortal;
    }
    if (facts.queue_trouble) {
        return LedCode::kQueueTrouble;
    }
    if (facts.beam_blocked_s >= kBlockedAlarmS) {
        return LedCode::kBeamBlocked;
    }
    if (!facts.wifi_joined) {
        return LedCode::kNoWifi;
    }
    if (facts.refused) {
        return LedCode::kRefused;
    }
    return facts.delivered_age_ms >= kDeliveredLateMs ? LedCode::kNoAnswer : LedCode::kWell;
}

bool led_is_lit(LedCode code, uint32_t now_ms) {
    constexpr uint32_t kGroupMs = 4'000;
    constexpr uint32_t kFlashMs = 400;
    constexpr uint32_t kLitMs = 120;
    if (code == LedCode::kPortal) {
        return now_ms % 200 < 100;
    }
    const uint32_t at_ms = now_ms % kGroupMs;
    return at_ms / kFlashMs < static_cast<uint32_t>(code) && at_ms % kFlashMs < kLitMs;
}

}  // namespace footfall
