// From passages to people: arms belong to a body, a pram to whoever pushes it.
//
// A complete passage waits here only while its neighbour decides what it is: something short for the body behind it,
// something long for the one who pushes it. The body's own crossing is then the one that counts.
#pragma once

#include "passage.h"

namespace footfall {

struct Verdict {
    Direction direction;
    int64_t at_us;
};

class Judge {
   public:
    explicit Judge(uint32_t spacing_mm) : spacing_mm_(spacing_mm) {}

    // Takes the next passage. Returns how many verdicts (0 to 2) are in *verdicts*, in order.
    size_t take(const Passage& passage, Verdict (&verdicts)[2]);

    // Nothing that began before *now_us* is undecided: gives what waited long enough.
    bool release(int64_t now_us, Verdict& verdict);

    // When release() may have something, or INT64_MAX.
    int64_t deadline_us() const { return has_waiting_ ? deadline_us_ : INT64_MAX; }

    // Passages that were nobody, since the start.
    uint32_t aborted() const { return aborted_; }

   private:
    enum class Fit { kApart, kArmBefore, kArmAfter, kPram, kForearms };
    Fit fit(const Passage& before, const Passage& after) const;
    bool is_of(const Passage& turned, const Passage& arm, int64_t clear_us) const;
    bool is_thrust_and_drawn_back(const Passage& passage) const;
    bool is_nobody(const Passage& passage) const;
    void take_nobody(const Passage& passage);

    static constexpr size_t kFlickers = 4;
    static constexpr int64_t kLongAgo = INT64_MIN / 2;

    uint32_t spacing_mm_;

    Passage last_ = {};  // the complete passage before, waiting or already told
    bool has_last_ = false;
    bool last_follows_pram_ = false;  // so it may be forearms, with the pusher behind them
    Passage turned_ = {};  // who turned round in both beams, nobody having passed since
    bool has_turned_ = false;
    int64_t flickers_us_[kFlickers] = {kLongAgo, kLongAgo, kLongAgo, kLongAgo};  // the last brief passages of nobody
    size_t flicker_ = 0;  // the oldest of them
    bool has_waiting_ = false;
    int64_t deadline_us_ = 0;
    uint32_t aborted_ = 0;
};

}  // namespace footfall
