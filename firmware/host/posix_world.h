// The world of a trace: its clock, and the words for the counter's log.
#pragma once

#include <stdint.h>
#include <time.h>

#include <algorithm>

#include "sending/sender.h"

#include "posix_options.h"

constexpr int64_t kLongestSleepMs = 200;

inline int64_t clock_ms(clockid_t which) {
    timespec now;
    clock_gettime(which, &now);
    return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

class World {
   public:
    explicit World(const CounterOptions& options) : speed_(options.speed) {
        real_start_ms_ = clock_ms(CLOCK_MONOTONIC);
        const int64_t real_ms = real_start_utc_ms_ = clock_ms(CLOCK_REALTIME);
        if (options.has_began) {
            start_ms_ =
                static_cast<int64_t>(static_cast<double>(real_ms - options.began_real_ms) * std::max(speed_, 1.0));
        }
        start_utc_ms_ = options.has_start ? options.start_utc_ms : real_ms - start_ms_;
    }

    // Sets the trace's clock to *trace_ms*.
    void begin_at(int64_t trace_ms) {
        start_ms_ = trace_ms;
        real_start_ms_ = clock_ms(CLOCK_MONOTONIC);
    }

    // The time on the trace's clock.
    int64_t now_ms() const {
        const int64_t real_ms = speed_ > 0 ? clock_ms(CLOCK_MONOTONIC) - real_start_ms_ : 0;
        return start_ms_ + static_cast<int64_t>(static_cast<double>(real_ms) * speed_);
    }
    int64_t utc_ms(int64_t now_ms) const { return start_utc_ms_ + now_ms; }
    // Returns what to add to this world's UTC at *now_ms* to get the server's.
    int64_t behind_s(int64_t now_ms) const {
        const double real_ms = speed_ > 0 ? static_cast<double>(now_ms - start_ms_) / speed_ : 0;
        const int64_t real_utc_ms =
            speed_ > 0 ? real_start_utc_ms_ + static_cast<int64_t>(real_ms) : clock_ms(CLOCK_REALTIME);
        return (real_utc_ms - utc_ms(now_ms)) / 1000;
    }

    // Waits until *then_ms*, or a little less. *is_failing*: waits in real time even at speed 0, to spare the server.
    void wait_until(int64_t then_ms, bool is_failing) {
        const int64_t left_ms = then_ms - now_ms();
        if (left_ms <= 0) {
            return;
        }
        if (speed_ <= 0) {
            start_ms_ = then_ms;
        }
        if (speed_ > 0 || is_failing) {
            const double real_ms = static_cast<double>(left_ms) / (speed_ > 0 ? speed_ : 1);
            sleep_ms(std::min(static_cast<int64_t>(real_ms) + 1, kLongestSleepMs));
        }
    }

   private:
    static void sleep_ms(int64_t ms) {
        const timespec pause = {static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000 * 1'000'000)};
        nanosleep(&pause, nullptr);
    }

    double speed_;
    int64_t real_start_ms_ = 0;
    int64_t real_start_utc_ms_ = 0;
    int64_t start_ms_ = 0;
    int64_t start_utc_ms_ = 0;
};

inline const char* describe(footfall::Outcome outcome) {
    switch (outcome) {
        case footfall::Outcome::kAcknowledged:
            return "acknowledged";
        case footfall::Outcome::kPartly:
            return "partly acknowledged";
        case footfall::Outcome::kClockSet:
            return "clock set";
        case footfall::Outcome::kUnauthorised:
            return "unauthorised";
        case footfall::Outcome::kBusy:
            return "busy";
        case footfall::Outcome::kHalved:
            return "refused, halved";
        case footfall::Outcome::kDropped:
            return "refused, dropped";
        case footfall::Outcome::kHeartbeatRefused:
            return "heartbeat refused";
        case footfall::Outcome::kRedated:
            return "redated";
        case footfall::Outcome::kNotReceived:
            return "not received";
    }
    return "";
}

inline const char* describe(footfall::Opening opening) {
    switch (opening) {
        case footfall::Opening::kKept:
            return "kept";
        case footfall::Opening::kFormatted:
            return "formatted";
        case footfall::Opening::kTorn:
            return "torn";
        case footfall::Opening::kFailed:
            return "failed";
    }
    return "";
}
