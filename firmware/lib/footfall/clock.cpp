#include "clock.h"

namespace footfall {

ClockChange Clock::hear_network(int64_t utc_ms, int64_t now_ms) {
    const int64_t offset_ms = utc_ms - now_ms;
    if (is_set_) {
        const int64_t off_ms = offset_ms - offset_ms_;
        const bool is_coarse = off_ms > kCoarseMs || off_ms < -kCoarseMs;
        if (is_coarse && server_agrees_ && now_ms - server_heard_ms_ < kTrustMs) {
            return ClockChange::kNone;
        }
    }
    return adopt(offset_ms);
}

ClockChange Clock::hear_server(int64_t utc_s, int64_t now_ms) {
    const int64_t offset_ms = utc_s * 1000 + 500 - now_ms;  // the middle of the second it names
    server_agrees_ = true;
    server_heard_ms_ = now_ms;
    const int64_t off_ms = offset_ms - offset_ms_;
    if (is_set_ && off_ms <= kCoarseMs && off_ms >= -kCoarseMs) {
        return ClockChange::kNone;
    }
    return adopt(offset_ms);
}

ClockChange Clock::adopt(int64_t offset_ms) {
    const int64_t off_ms = offset_ms - offset_ms_;
    const bool was_set = is_set_;
    is_set_ = true;
    offset_ms_ = offset_ms;
    if (!was_set || off_ms > kCoarseMs || off_ms < -kCoarseMs) {
        return ClockChange::kStep;
    }
    return off_ms == 0 ? ClockChange::kNone : ClockChange::kFine;
}

}  // namespace footfall
