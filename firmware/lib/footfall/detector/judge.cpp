#include "detector/judge.h"

namespace footfall {

namespace {

// Lengths and distances, mm.
constexpr int32_t kPramAtLeast = 630;    // few people with a rucksack are longer
constexpr int32_t kPramAtMost = 1500;
constexpr int32_t kHoodAtLeast = 240;    // the hood of a pram, if the beams see nothing else of it
constexpr int32_t kTooClose = 95;        // people in file leave 150, of which the beam's width takes up to 50
constexpr int32_t kPushersReach = 600;   // from the pram to the person who pushes it
constexpr int32_t kPusherAtMost = 900;   // a body with both arms stretched to the bar
constexpr int32_t kForearms = 250;       // forearms between the bar and the pusher, seen as one thing
constexpr int32_t kForearmsApart = 140;  // from the forearms to the pusher; people in file leave 150

constexpr int32_t kPushing = 500;  // mm/s: people who walk slower may press on each other

// Times, us.
constexpr int64_t kFlicker = 200'000;        // a passage this short is a runner's, or one flicker in each beam
constexpr int64_t kFlickering = 3'000'000;   // kFlickers flickers in this time: expect more
constexpr int64_t kDrawnBack = 1'500'000;    // an arm that was thrust into the beams comes back within this time
constexpr int64_t kLongestWait = 2'000'000;  // the pusher's reach at 0.3 m/s

int64_t time_for(int32_t mm, int32_t speed_mm_s) {
    const int64_t us = static_cast<int64_t>(mm) * 1'000'000 / speed_mm_s;
    return us < kLongestWait ? us : kLongestWait;
}

bool looks_like_pram(const Passage& passage) {
    return passage.steady && passage.length_mm >= kPramAtLeast && passage.length_mm <= kPramAtMost &&
           passage.speed_mm_s >= kPushing;
}

bool looks_like_hood(const Passage& passage) {
    return passage.steady && passage.length_mm >= kHoodAtLeast && passage.speed_mm_s >= kPushing;
}

// How far behind *passage* a neighbour may follow that decides what it is; 0 if none can.
int32_t reach_of(const Passage& passage) {
    if (looks_like_pram(passage)) return kPushersReach;
    if (may_be_arm(passage)) return kArmsReach;
    return looks_like_hood(passage) ? kTooClose : 0;
}

// How far behind *passage*, which followed a pram, the pusher may be if *passage* is only their forearms.
int32_t reach_of_forearms(const Passage& passage) {
    if (passage.length_mm < kLongestArm) return kArmsReach;
    return passage.length_mm < kForearms ? kForearmsApart : 0;
}

// Two people never differ so much in depth: adults have 18 to 35 cm, a child 15.
bool is_much_longer(const Passage& body, const Passage& arm) {
    return body.length_mm * 10 >= arm.length_mm * (arm.length_mm < kLongestArm ? 15 : 18);
}

bool are_as_fast(const Passage& a, const Passage& b) {
    return a.speed_mm_s * 2 <= b.speed_mm_s * 3 && b.speed_mm_s * 2 <= a.speed_mm_s * 3;
}

}  // namespace

Judge::Fit Judge::fit(const Passage& before, const Passage& after) const {
    if (before.direction != after.direction) return Fit::kApart;
    const int32_t speed = before.speed_mm_s < after.speed_mm_s ? before.speed_mm_s : after.speed_mm_s;
    const int64_t clear_us = after.from_us - before.to_us;  // the time of their distance less one spacing
    const int64_t apart_mm = clear_us * speed / 1'000'000 + spacing_mm_;
    if (clear_us > kLongestWait || apart_mm > kPushersReach) return Fit::kApart;
    if (looks_like_pram(before) && after.steady && after.length_mm <= kPusherAtMost && are_as_fast(before, after)) {
        return Fit::kPram;
    }
    if (apart_mm > kArmsReach) return Fit::kApart;
    if (apart_mm <= kTooClose && looks_like_hood(before) && after.steady && are_as_fast(before, after)) {
        return Fit::kPram;
    }
    if (last_follows_pram_ && apart_mm <= reach_of_forearms(before) && after.steady && are_as_fast(before, after)) {
        return Fit::kForearms;
    }
    if (may_be_arm(before) && is_much_longer(after, before)) return Fit::kArmBefore;
    if (may_be_arm(after) && is_much_longer(before, after)) return Fit::kArmAfter;
    return Fit::kApart;
}

// Whether *arm* belongs to *turned*, who turned round in the beams: within reach, with both beams clear for *clear_us*
// between them, and covering the beams for less time.
bool Judge::is_arm_of(const Passage& turned, const Passage& arm, int64_t clear_us) const {
    if (!may_be_arm(arm) || clear_us > kLongestWait) return false;
    if (clear_us * arm.speed_mm_s / 1'000'000 + spacing_mm_ > kArmsReach) return false;
    return (turned.to_us - turned.from_us) * 2 > (arm.to_us - arm.from_us) * 3;
}

void Judge::take_nobody(const Passage& passage) {
    ++aborted_;
    if (passage.brief) {
        flickers_us_[flicker_] = passage.from_us;
        flicker_ = (flicker_ + 1) % kFlickers;
        return;
    }
    if (passage.outer_size == 0 || passage.inner_size == 0) return;
    if (has_waiting_ && passage.from_us < deadline_us_ && is_arm_of(passage, last_, passage.from_us - last_.to_us)) {
        ++aborted_;
        has_waiting_ = has_last_ = false;
    }
    turned_ = passage;
    has_turned_ = true;
}

// Whether *passage* is nobody: incomplete, an arm of a person who turned round, or one flicker of many.
bool Judge::is_nobody(const Passage& passage) const {
    if (!passage.complete) return true;
    if (has_turned_ && is_arm_of(turned_, passage, passage.from_us - turned_.to_us)) return true;
    return passage.to_us - passage.from_us <= kFlicker && passage.from_us - flickers_us_[flicker_] <= kFlickering;
}

// Whether the waiting passage and this one are an arm that went in and came back. If they were two slim people in
// opposite directions, the sum would be the same: zero.
bool Judge::is_thrust_and_drawn_back(const Passage& passage) const {
    return last_.direction != passage.direction && last_.length_mm < kLongestArm && passage.length_mm < kLongestArm;
}

size_t Judge::take(const Passage& passage, Verdict (&verdicts)[2]) {
    if (is_nobody(passage)) {
        take_nobody(passage);
        return 0;
    }
    has_turned_ = false;
    size_t count = 0;
    // A passage after the deadline changes nothing, even if release() was not called in between.
    const bool waits = has_waiting_ && passage.from_us < deadline_us_;
    if (waits && is_thrust_and_drawn_back(passage)) {
        aborted_ += 2;
        has_waiting_ = has_last_ = false;
        return 0;
    }
    Fit how = has_last_ ? fit(last_, passage) : Fit::kApart;
    if (!waits && how != Fit::kArmAfter) how = Fit::kApart;
    if (how == Fit::kArmAfter) return 0;
    if (has_waiting_ && how == Fit::kApart) verdicts[count++] = {last_.direction, last_.at_us};
    last_ = passage;
    has_last_ = true;
    last_follows_pram_ = how == Fit::kPram;
    const int32_t reach_mm = how == Fit::kPram        ? reach_of_forearms(passage)
                             : how == Fit::kForearms ? 0
                                                     : reach_of(passage);
    has_waiting_ = reach_mm > 0;
    if (has_waiting_) {
        const int64_t least_us = passage.length_mm < kLongestArm ? kDrawnBack : 0;
        const int64_t wait_us = time_for(reach_mm, passage.speed_mm_s);
        deadline_us_ = passage.to_us + (wait_us > least_us ? wait_us : least_us);
    } else {
        verdicts[count++] = {passage.direction, passage.at_us};
    }
    return count;
}

bool Judge::release(int64_t now_us, Verdict& verdict) {
    if (!has_waiting_ || now_us < deadline_us_) return false;
    has_waiting_ = false;
    verdict = {last_.direction, last_.at_us};
    return true;
}

}  // namespace footfall
