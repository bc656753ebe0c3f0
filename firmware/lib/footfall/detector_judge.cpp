#include "detector_judge.h"

namespace footfall {

namespace {

constexpr int32_t kArmAtMost = 150;     // mm: an arm and the beam's width, seen at a slant
constexpr int32_t kBriefArmAtMost = 220;  // mm, when it is over in kArmsTime: it swings, so speed and length are less sure
constexpr int64_t kArmsTime = 125'000;    // us for which it covers a beam
constexpr int32_t kArmsReach = 450;     // mm from an arm to the body it belongs to
constexpr int32_t kPramAtLeast = 700;   // mm: more than one body with a rucksack
constexpr int32_t kPramAtMost = 1500;   // mm
constexpr int32_t kPushersReach = 600;  // mm from the pram to who pushes it
constexpr int64_t kLongestWait = 2'000'000;  // us: the pusher's reach at 0.3 m/s

int64_t time_for(int32_t mm, int32_t speed_mm_s) {
    const int64_t us = static_cast<int64_t>(mm) * 1'000'000 / speed_mm_s;
    return us < kLongestWait ? us : kLongestWait;
}

bool looks_like_arm(const Passage& passage) {
    if (passage.length_mm < kArmAtMost) return true;
    const int64_t covered_us = static_cast<int64_t>(passage.length_mm) * 1'000'000 / passage.speed_mm_s;
    return passage.length_mm < kBriefArmAtMost && covered_us <= kArmsTime;
}

bool looks_like_pram(const Passage& passage) {
    return passage.steady && passage.length_mm >= kPramAtLeast && passage.length_mm <= kPramAtMost;
}

// People differ in depth, but not by that much: 18 to 35 cm, a child's 15.
bool is_much_longer(const Passage& body, const Passage& arm) {
    return body.length_mm * 10 >= arm.length_mm * (arm.length_mm < kArmAtMost ? 15 : 18);
}

bool are_as_fast(const Passage& a, const Passage& b) {
    return a.speed_mm_s * 2 <= b.speed_mm_s * 3 && b.speed_mm_s * 2 <= a.speed_mm_s * 3;
}

}  // namespace

Judge::Fit Judge::fit(const Passage& before, const Passage& after) const {
    if (before.direction != after.direction) return Fit::kApart;
    const int32_t speed = before.speed_mm_s < after.speed_mm_s ? before.speed_mm_s : after.speed_mm_s;
    const int64_t clear_us = after.from_us - before.to_us;  // one spacing less than what was between them
    const int64_t apart_mm = clear_us * speed / 1'000'000 + spacing_mm_;
    if (clear_us > kLongestWait || apart_mm > kPushersReach) return Fit::kApart;
    if (looks_like_pram(before) && after.steady && after.length_mm < kPramAtLeast && are_as_fast(before, after)) {
        return Fit::kPram;
    }
    if (apart_mm > kArmsReach) return Fit::kApart;
    if (looks_like_arm(before) && is_much_longer(after, before)) return Fit::kArmBefore;
    if (looks_like_arm(after) && is_much_longer(before, after)) return Fit::kArmAfter;
    return Fit::kApart;
}

void Judge::take_nobody(const Passage& passage) {
    (void)passage;
    ++aborted_;
}

size_t Judge::take(const Passage& passage, Verdict (&verdicts)[2]) {
    if (!passage.complete) {
        take_nobody(passage);
        return 0;
    }
    size_t count = 0;
    const Fit how = has_last_ ? fit(last_, passage) : Fit::kApart;
    if (how == Fit::kArmAfter) return 0;
    if (has_waiting_ && how == Fit::kApart) verdicts[count++] = {last_.direction, last_.at_us};
    last_ = passage;
    has_last_ = true;
    has_waiting_ = how != Fit::kPram && (looks_like_arm(passage) || looks_like_pram(passage));
    if (has_waiting_) {
        const int32_t reach = looks_like_arm(passage) ? kArmsReach : kPushersReach;
        deadline_us_ = passage.to_us + time_for(reach, passage.speed_mm_s);
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
