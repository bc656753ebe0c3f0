#include "backoff.h"

namespace footfall {

int64_t Backoff::next_ms() {
    int64_t whole_ms = kFirstMs;
    for (uint32_t i = 0; i < failures_ && whole_ms < kLongestMs; i++) {
        whole_ms *= 2;
    }
    if (whole_ms > kLongestMs) {
        whole_ms = kLongestMs;
    }
    failures_++;
    const int64_t half_ms = whole_ms / 2;
    return half_ms + static_cast<int64_t>(random_.next() % static_cast<uint32_t>(half_ms + 1));
}

}  // namespace footfall
