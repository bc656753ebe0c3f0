// One beam without its chatter: a level counts once it has lasted for kHold, from the moment it began.
//
//     raw       ..#.#.########.#.##......        shorter than kHold: never happened
//     debounced .....................            an edge is told kHold late, with its own time
//                     #############..
//
// Every edge is late by the same time, so edges of two beams stay in order.
#pragma once

#include <stdint.h>

namespace footfall {

class Debounce {
   public:
    // An E18-D50NK answers within 2 ms (data sheet: response time < 2 ms); a level of less than twice that is no object.
    static constexpr int64_t kHold = 4'000;  // us

    void start(bool interrupted);

    // The raw level since *at_us*.
    void set(bool interrupted, int64_t at_us);

    // True when an edge is due by *now_us*; then at_us() and level() tell it, until accept().
    bool is_due(int64_t now_us) const { return raw_ != stable_ && now_us - since_us_ >= kHold; }
    int64_t at_us() const { return since_us_; }
    bool level() const { return raw_; }
    void accept() { stable_ = raw_; }

    bool stable() const { return stable_; }

   private:
    bool raw_ = false;
    bool stable_ = false;
    int64_t since_us_ = 0;  // when raw_ began
};

}  // namespace footfall
