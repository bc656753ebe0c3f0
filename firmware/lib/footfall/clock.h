// What time it is, from a monotonic clock that never stops and never steps, and from those who tell the time.
//
//     UTC ms = monotonic ms + offset
//
// The rules (TIME.md has the reasons):
//   1. Without an offset the time is unknown, and nobody invents one.
//   2. The network's time (SNTP) is adopted at once if it differs by at most kCoarseMs, or if there was no offset.
//   3. The server's Date header has a resolution of one second. It is adopted where there is no offset, and where it
//      differs by more than kCoarseMs: signatures and times are judged by the server's clock.
//   4. A network's time that is off by more than kCoarseMs is ignored while the server's Date said otherwise within
//      the last kTrustMs; later, or if no server was heard, it is adopted.
#pragma once

#include <stdint.h>

namespace footfall {

// Milliseconds since boot in 64 bits from a 32-bit count that wraps (micros() does after 71.6 minutes, millis() after
// 49.7 days). Call it at least once per wrap.
class MonotonicMs {
   public:
    // *count_us*: micros().
    int64_t from_micros(uint32_t count_us) {
        total_us_ += static_cast<uint32_t>(count_us - last_us_);
        last_us_ = count_us;
        return static_cast<int64_t>(total_us_ / 1000);
    }
    // The ms of an instant at most 71 minutes before the latest call of from_micros(); its own stamp is *count_us*.
    int64_t of_earlier(uint32_t count_us) const {
        const uint32_t ago_us = last_us_ - count_us;
        return ago_us > total_us_ ? 0 : static_cast<int64_t>((total_us_ - ago_us) / 1000);
    }

   private:
    uint32_t last_us_ = 0;
    uint64_t total_us_ = 0;
};

enum class ClockChange { kNone, kFine, kStep };

class Clock {
   public:
    static constexpr int64_t kCoarseMs = 5000;
    static constexpr int64_t kTrustMs = 60 * 60 * 1000;

    bool is_set() const { return is_set_; }
    int64_t offset_ms() const { return offset_ms_; }
    // UTC ms at *now_ms*; meaningless unless is_set().
    int64_t utc_ms(int64_t now_ms) const { return now_ms + offset_ms_; }

    // The network says that it was *utc_ms* at *now_ms*. Tell the queue of every change: queue.note_offset().
    ClockChange hear_network(int64_t utc_ms, int64_t now_ms);
    // The server's Date header said *utc_s* when its answer came, at *now_ms*.
    ClockChange hear_server(int64_t utc_s, int64_t now_ms);

   private:
    ClockChange adopt(int64_t offset_ms);

    bool is_set_ = false;
    int64_t offset_ms_ = 0;
    bool server_agrees_ = false;
    int64_t server_heard_ms_ = 0;
};

}  // namespace footfall
