// How long to wait after failures in a row: twice as long each time, with some chance in it, so that counters that
// lost the same server do not come back in the same second.
#pragma once

#include <stdint.h>

#include "random.h"

namespace footfall {

class Backoff {
   public:
    static constexpr int64_t kFirstMs = 500;
    static constexpr int64_t kLongestMs = 60 * 1000;

    explicit Backoff(RandomSource& random) : random_(random) {}

    // Returns how long to wait now: between half of 0.5, 1, 2, 4 ... 60 seconds and all of it.
    int64_t next_ms();
    void reset() { failures_ = 0; }
    uint32_t failures() const { return failures_; }

   private:
    RandomSource& random_;
    uint32_t failures_ = 0;
};

}  // namespace footfall
