// The time: a monotonic clock that never stops or steps, plus an offset from the network or the server.
//
//     UTC ms = monotonic ms + offset
//
// The rules (README.md has the reasons):
//   1. Without an offset the time is unknown. The counter never guesses it.
//   2. The network's time (SNTP) is adopted at once if there is no offset, or if it differs by at most kCoarseMs.
//   3. The server's Date header has a resolution of one second. It is adopted if there is no offset, or if it differs
//      by more than kCoarseMs, because the server judges signatures and times by its own clock.
//   4. A network time that differs by more than kCoarseMs is ignored for kTrustMs after the server's last Date. Later,
//      or without a server, it is adopted.
#pragma once

#include <stdint.h>

namespace footfall {

// Extends a 32-bit count that wraps to 64 bits of ms. micros() wraps every 71.6 minutes; call from_micros() at least
// once in that time.
class MonotonicMs {
   public:
    // Returns ms since power-up. *count_us*: micros().
    int64_t from_micros(uint32_t count_us) {
        total_us_ += static_cast<uint32_t>(count_us - last_us_);
        last_us_ = count_us;
        return static_cast<int64_t>(total_us_ / 1000);
    }
    // Returns the ms of *count_us*, an instant at most 71 minutes before the last call of from_micros().
    int64_t of_earlier(uint32_t count_us) const {
        const uint32_t ago_us = last_us_ - count_us;
        return ago_us > total_us_ ? 0 : static_cast<int64_t>((total_us_ - ago_us) / 1000);
    }

   private:
    uint32_t last_us_ = 0;
    uint64_t total_us_ = 0;
};

enum class ClockChange { kNone, kFine, kStep };

// Report every change to the queue: Queue::note_offset().
class Clock {
   public:
    static constexpr int64_t kCoarseMs = 5000;
    static constexpr int64_t kTrustMs = 60 * 60 * 1000;

    bool is_set() const { return is_set_; }
    int64_t offset_ms() const { return offset_ms_; }
    // UTC ms at *now_ms*; valid only if is_set().
    int64_t utc_ms(int64_t now_ms) const { return now_ms + offset_ms_; }

    // The network reports *utc_ms* at *now_ms*.
    ClockChange set_from_network(int64_t utc_ms, int64_t now_ms);
    // The server's answer arrived at *now_ms* with the Date *utc_s*.
    ClockChange set_from_server(int64_t utc_s, int64_t now_ms);

   private:
    ClockChange adopt(int64_t offset_ms);

    bool is_set_ = false;
    int64_t offset_ms_ = 0;
    bool has_server_time_ = false;
    int64_t server_time_ms_ = 0;
};

// Parses the date of an HTTP header, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, section 5.6.7), into seconds since 1970
// UTC. False for anything else, including the two obsolete forms.
bool parse_http_date(const char* text, int64_t& utc_s);

// Parses a Retry-After header, seconds or a date, into seconds from *now_utc_s* on, 0 to 3600. False if it is neither.
bool parse_retry_after(const char* text, int64_t now_utc_s, int64_t& wait_s);

}  // namespace footfall
