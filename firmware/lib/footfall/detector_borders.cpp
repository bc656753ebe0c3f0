#include "detector_borders.h"

#include "detector_costs.h"
#include "detector_hull.h"

namespace footfall {

namespace {

constexpr int32_t kNear = 120;  // mm: beams that no arm fits between
constexpr int32_t kAgainst = 300;

// Whether *group* is seen by one beam, for a shorter time than the other group is by the same beam.
bool is_limb(const Group& group, const Passage& passage, const Group& other) {
    if (!passage.brief || !is_seen_by_one(group) || is_seen_by_one(other)) return false;
    const bool outer = group.outer_size > 0;
    const size_t size = outer ? other.outer_size : other.inner_size;
    const Interval* const same = outer ? other.outer : other.inner;
    return (to_of(group) - from_of(group)) * 5 < (same[size - 1].to_us - same[0].from_us) * 3;
}

// Whether *alone*, which one beam saw after *body* or before it, speaks against the body's direction: what trails behind
// and comes to the first beam comes to the other too, and what is ahead at the second beam was at the first. The same
// where the other beam shows it among the pieces of the body.
bool is_against(const Group& alone, const Passage& body, bool is_after) {
    if (!is_seen_by_one(alone) || !body.complete) return false;
    const bool outer = alone.outer_size > 0;
    if (outer ? body.inner_size > body.outer_size : body.outer_size > body.inner_size) return true;
    if (alone.spacing.mm > kNear) return false;  // an arm may swing back between the beams
    const bool at_first = outer == (body.direction == Direction::kEntry);
    return at_first == is_after;
}

bool stood(const Passage& passage) { return passage.to_us - passage.from_us > kStanding; }

// The speed of two bodies, or of the one that walked where the other stood; 0 where one may be a pram.
int32_t speed_between(const Passage& before, const Passage& after) {
    const bool is_before = before.length_mm < kDeepest;
    const bool is_after = after.length_mm < kDeepest;
    if (is_before && is_after) return (before.speed_mm_s + after.speed_mm_s) / 2;
    if (is_before && stood(after)) return before.speed_mm_s;
    return is_after && stood(before) ? after.speed_mm_s : 0;
}

bool is_plain(const Passage& passage) { return passage.steady && passage.length_mm <= kDeepest + kPlain; }

}  // namespace

bool is_clear_between(const Passage& before, const Passage& after) { return after.from_us - before.to_us > kMoment; }

int32_t border_cost(const Group& earlier, const Passage& before, const Group& later, const Passage& after) {
    int32_t cost = is_clear_between(before, after) ? 0 : later.spacing.is_wide ? 30 : 240;
    if (is_blip(earlier) || is_blip(later)) return 0;
    if (is_seen_by_one(earlier) && is_seen_by_one(later)) return cost * 2;  // why then not one, seen by both?
    if (is_limb(earlier, before, later) || is_limb(later, after, earlier)) {
        return cost / 2 + (is_against(earlier, after, false) || is_against(later, before, true) ? kAgainst : 0);
    }
    if (!before.complete && may_be_passing_arm(earlier)) return cost / 4;
    if (!after.complete && may_be_passing_arm(later)) return cost / 4;
    if (!before.complete || !after.complete) return cost;
    if (before.direction != after.direction) {  // who turns round among others does not walk evenly before and after
        return cost == 0 || later.spacing.is_wide || (is_plain(before) && is_plain(after)) ? cost : kDearestBorder;
    }
    const int32_t speed_mm_s = speed_between(before, after);
    if (speed_mm_s == 0 || may_be_arm(before) || may_be_arm(after)) return cost;
    const int64_t outer_gap_us = later.outer[0].from_us - earlier.outer[earlier.outer_size - 1].to_us;
    const int64_t inner_gap_us = later.inner[0].from_us - earlier.inner[earlier.inner_size - 1].to_us;
    const int32_t apart_mm = way_mm(speed_mm_s, (outer_gap_us + inner_gap_us) / 2);
    return cost + between(0, (kPeopleApart - apart_mm) * 30, 600);
}

}  // namespace footfall
