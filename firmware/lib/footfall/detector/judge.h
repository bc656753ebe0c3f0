// Passages in, people out: an arm belongs to a body, a pram to the person who pushes it.
//
// A complete passage waits only if its neighbour decides what it is: a short one may be an arm of the body behind it, a
// long one may be a pram with its pusher behind it. Then only the body's crossing counts.
#pragma once

#include "detector/passage.h"

namespace footfall {

struct Verdict {
    Direction direction;
    int64_t at_us;
};

class Judge {
   public:
    explicit Judge(uint32_t spacing_mm) : spacing_mm_(spacing_mm) {}

    // Takes the next passage. Returns the number of verdicts (0 to 2) in *verdicts*, in order.
    size_t take(const Passage& passage, Verdict (&verdicts)[2]);

    // Releases the waiting passage if its time is up. Every passage that began before *now_us* must have been taken.
    bool release(int64_t now_us, Verdict& verdict);

    // When release() can succeed; INT64_MAX if nothing waits.
    int64_t deadline_us() const { return has_waiting_ ? deadline_us_ : INT64_MAX; }

    // Passages that were nobody, since power-up.
    uint32_t aborted() const { return aborted_; }

   private:
    enum class Fit { kApart, kArmBefore, kArmAfter, kPram, kForearms };
    Fit fit(const Passage& before, const Passage& after) const;
    bool is_arm_of(const Passage& turned, const Passage& arm, int64_t clear_us) const;
    bool is_thrust_and_drawn_back(const Passage& passage) const;
    bool is_nobody(const Passage& passage) const;
    void take_nobody(const Passage& passage);

    static constexpr size_t kFlickers = 4;
    static constexpr int64_t kLongAgo = INT64_MIN / 2;

    uint32_t spacing_mm_;

    Passage last_ = {};  // the last complete passage, waiting or already released
    bool has_last_ = false;
    bool last_follows_pram_ = false;  // it may be forearms, with the pusher behind them
    Passage turned_ = {};  // the last person who turned round in both beams, if nobody has passed since
    bool has_turned_ = false;
    int64_t flickers_us_[kFlickers] = {kLongAgo, kLongAgo, kLongAgo, kLongAgo};  // starts of the last brief ones
    size_t flicker_ = 0;  // index of the oldest
    bool has_waiting_ = false;
    int64_t deadline_us_ = 0;
    uint32_t aborted_ = 0;
};

}  // namespace footfall
