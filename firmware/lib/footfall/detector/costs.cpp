#include "detector/costs.h"

namespace footfall {

namespace {

constexpr int32_t kFillable = 40;   // mm: the widest fold of cloth
constexpr int64_t kStop = 150'000;  // us: two lags differ by more if somebody stopped

constexpr int64_t kMostHoles = 33;       // per cent of an interval, in each beam
constexpr int64_t kMostHolesOfOne = 50;  // in one beam, if the other has at most kFewHoles
constexpr int64_t kFewHoles = 10;

constexpr int32_t kFold = 30;  // the cheapest hole
constexpr int32_t kTwoThings = 3000;
constexpr int32_t kBackAndForth = 200;  // a hole made by going back and forth; each turn makes two

// The lag that gives the speed. An arm ahead of the body or behind it shortens one lag, so the mean is used. A stop
// makes one lag much longer; then the lesser one is used, unless it was an arm's.
int64_t lag_of(const Hull& hull, const Spacing& spacing) {
    const int64_t mean = (hull.lesser_lag + hull.greater_lag) / 2;
    if (hull.greater_lag - hull.lesser_lag <= kStop) return most(1, mean);
    return most(hull.lesser_lag, least(mean / 2, spacing.arm_step_us));
}

// The cost of all holes of one beam, if one body made them; stops counting at *limit*.
int32_t holes_cost(const Interval* own, size_t size, const Interval* other, size_t other_size, int32_t speed_mm_s,
                   int32_t limit) {
    int32_t cost = 0;
    for (size_t k = 0; k + 1 < size && cost < limit; ++k) {
        const int32_t hole = way_mm(speed_mm_s, own[k + 1].from_us - own[k].to_us);
        const int64_t piece = least(own[k].to_us - own[k].from_us, own[k + 1].to_us - own[k + 1].from_us);
        if (hole <= kFillable) {
            cost += kFold;
        } else if (way_mm(speed_mm_s, piece) < kShort) {
            cost += hole <= kArmsReach ? 150 + hole / 2 : kTwoThings;
        } else if (hole <= kPeopleApart) {
            cost += 100 + (hole - kFillable) * 4;
        } else if (is_clear_within(own[k].to_us, own[k + 1].from_us, other, other_size)) {
            cost += kTwoThings;
        } else {
            cost += kBackAndForth;
        }
    }
    return cost;
}

// The cost of two unequal lags, 0 to 300: a steady walker's are alike, a stop makes one long.
int32_t unsteady_cost(const Hull& hull, int64_t lag) {
    const int64_t lesser = most(hull.lesser_lag, lag / 2);
    const int64_t excess = (hull.greater_lag - kJitter) * 10 - lesser * 13;
    return excess <= 0 ? 0 : between(0, quotient(excess * 40, lesser), 300);
}

int64_t holes_percent(const Interval* own, size_t size) {
    int64_t holes = 0;
    int64_t all = 1;
    for (size_t k = 0; k < size; ++k) {
        holes += own[k].holes_us;
        all += own[k].to_us - own[k].from_us;
    }
    return quotient(holes * 100, all);
}

// Chatter of both beams can have the outline of a body, but it is mostly holes. One beam may lose dark clothes.
bool is_mostly_filled(const Group& group) {
    const int64_t outer = holes_percent(group.outer, group.outer_size);
    const int64_t inner = holes_percent(group.inner, group.inner_size);
    return most(outer, inner) <= (least(outer, inner) <= kFewHoles ? kMostHolesOfOne : kMostHoles);
}

// When the body was centred between the beams; the last time if it went back and forth.
int64_t middle_of(const Group& group, Direction direction, bool to_and_fro) {
    const bool entry = direction == Direction::kEntry;
    const Interval* const second = entry ? group.inner : group.outer;
    const size_t second_size = entry ? group.inner_size : group.outer_size;
    const int64_t left_us = (entry ? group.outer[group.outer_size - 1] : group.inner[group.inner_size - 1]).to_us;
    int64_t reached_us = second[0].from_us;
    for (size_t k = 1; to_and_fro && k < second_size && second[k].from_us < left_us; ++k) {
        reached_us = second[k].from_us;
    }
    return reached_us + (left_us - reached_us) / 2;
}

int64_t longest_us(const Interval* own, size_t size) {
    int64_t longest = 0;
    for (size_t k = 0; k < size; ++k) longest = most(longest, own[k].to_us - own[k].from_us);
    return longest;
}

// Flickers of both beams can have the outline of a body, but no piece as long as a trunk.
bool has_trunk(const Group& group, int32_t speed_mm_s) {
    const int64_t outer_us = longest_us(group.outer, group.outer_size);
    return way_mm(speed_mm_s, least(outer_us, longest_us(group.inner, group.inner_size))) >= kShortest;
}

// The cost of a body's length; its lag is *lag_us*.
int32_t size_cost(const Hull& hull, int64_t lag_us, int32_t length_mm, const Spacing& spacing) {
    // A person who stood in each beam in turn has two long lags, so looks short. Having covered both beams at once,
    // they are longer than the spacing.
    const bool stood = hull.shorter > kStanding && lag_us < hull.shorter;
    const int32_t cost = stood && length_mm < kShort ? 0 : length_cost(length_mm);
    if (!spacing.is_wide || lag_us <= hull.shorter) return cost;
    // The body fits between the beams and may have stood there.
    if (hull.greater_lag > kBetween) return kImpossible;
    return hull.shorter >= kBrief ? between(0, cost, 250) : cost;
}

// The cost of one body, and its passage, if that is less than *limit*; otherwise at least *limit*. *hull* must be
// complete.
int32_t body_cost(const Group& group, const Hull& hull, int32_t limit, Passage& passage) {
    const auto holes = static_cast<int32_t>(group.outer_size + group.inner_size - 2);
    if (group.outer_size > kMostBodyPieces || group.inner_size > kMostBodyPieces) return kImpossible;
    if (kFold * holes >= limit) return limit;
    const int64_t lag = lag_of(hull, group.spacing);
    const int32_t length_mm = between(0, quotient(hull.shorter * group.spacing.mm, lag), kUnknownLength);
    const int32_t size = size_cost(hull, lag, length_mm, group.spacing);
    if (size >= kImpossible) return kImpossible;
    // Going back and forth makes a body look unsteady and long; the cost of the holes covers that.
    const bool may_return = holes > 0 && hull.shorter > kStanding;
    if (!may_return && size + kFold * holes >= limit) return limit;
    const int32_t unsteady = unsteady_cost(hull, lag);
    if (!may_return && size + unsteady + kFold * holes >= limit) return limit;
    const int32_t speed_mm_s = between(1, quotient(group.spacing.way, lag), kFastestStep);
    if (!has_trunk(group, speed_mm_s)) return kImpossible;
    int32_t cost = may_return ? 0 : size + unsteady;
    cost += holes_cost(group.outer, group.outer_size, group.inner, group.inner_size, speed_mm_s, limit - cost);
    cost += holes_cost(group.inner, group.inner_size, group.outer, group.outer_size, speed_mm_s, limit - cost);
    const bool to_and_fro = may_return && cost >= kBackAndForth;
    if (may_return && !to_and_fro) cost += size + unsteady;
    if (cost >= limit) return limit;
    if (!is_mostly_filled(group)) return kImpossible;
    passage.direction = hull.direction;
    passage.speed_mm_s = speed_mm_s;
    passage.length_mm = length_mm;
    passage.steady = unsteady < 100;
    passage.at_us = middle_of(group, hull.direction, to_and_fro);
    return cost;
}

constexpr int32_t kArm = 110;  // mm: 5 to 9 cm and part of the beam's width; up to kLongestArm it may also be a body
constexpr int32_t kBlipAlone = 50;
constexpr int32_t kArmAlone = 150;
constexpr int32_t kArmThatStayed = 200;
constexpr int32_t kLimb = 60;         // each limb with the trunk's lag
constexpr int32_t kPlainCost = 100;   // the most for a plain walker
constexpr int32_t kNobody = 300;      // seen by both beams
constexpr int32_t kMorePieces = 80;   // each further piece of nobody
constexpr int32_t kClear = 500;       // each time both beams are clear inside nobody

// The cost of a trunk and limbs that passed with one lag; fills in *passage* if it is less than *limit*.
int32_t rigid_cost(const Group& group, const Hull& hull, int32_t limit, Passage& passage) {
    Rigid rigid;
    const bool alike = group.outer_size == group.inner_size;  // otherwise filling small holes may leave one limb
    const auto fewest_limbs = static_cast<int32_t>(alike ? group.outer_size - 1 : 1);
    if (kLimb * fewest_limbs >= limit || !may_be_rigid(group, hull) || !is_rigid(group, rigid)) return kImpossible;
    const int32_t length_mm = between(0, quotient(rigid.trunk_us * group.spacing.mm, rigid.lag_us), kUnknownLength);
    const int32_t uneven = between(0, quotient((rigid.uneven_us - kEdge) * 800, rigid.lag_us), 200);
    const int32_t cost = kLimb * rigid.limbs + length_cost(length_mm) + uneven;
    if (cost >= limit) return kImpossible;
    passage.direction = rigid.direction;
    passage.speed_mm_s = between(1, quotient(group.spacing.way, rigid.lag_us), kFastestStep);
    passage.length_mm = length_mm;
    passage.at_us = rigid.trunk_at_us;
    passage.steady = true;
    return cost;
}

// How often both beams are clear between intervals of *own*, counted up to *enough*.
int32_t clear_times(const Interval* own, size_t size, const Interval* other, size_t other_size, int32_t enough) {
    int32_t times = 0;
    for (size_t k = 0; k + 1 < size && times < enough; ++k) {
        times += is_clear_within(own[k].to_us, own[k + 1].from_us, other, other_size) ? 1 : 0;
    }
    return times;
}

// Whether one beam was clear again before the other was interrupted.
bool are_apart(const Group& group) {
    return group.outer[group.outer_size - 1].to_us < group.inner[0].from_us ||
           group.inner[group.inner_size - 1].to_us < group.outer[0].from_us;
}

// The cost of nobody, seen by one beam.
int32_t alone_cost(const Group& group) {
    if (group.outer_size + group.inner_size > 1) return kImpossible;
    if (is_blip(group)) return kBlipAlone;
    if (to_of(group) - from_of(group) <= kBrief) return 100;
    return group.spacing.is_wide ? 450 : 300;
}

// The length of an arm that passed, seen as one interval by each beam; 0 if it was none.
int32_t arm_mm(const Hull& hull, const Spacing& spacing) {
    const int64_t lag = (hull.lesser_lag + hull.greater_lag) / 2;
    if (hull.lesser_lag * kFastest < spacing.way || lag > spacing.slowest_arm_us) return 0;
    if (hull.greater_lag - hull.lesser_lag > kJitter + lag / 4) return 0;
    const int32_t length_mm = between(1, quotient(hull.shorter * spacing.mm, lag), kUnknownLength);
    return length_mm < kLongestArm ? length_mm : 0;
}

// Whether it is an arm that passed one beam at an arm's speed and stayed in the other because its owner stood.
bool stayed(const Hull& hull, const Spacing& spacing) {
    const int64_t lag = hull.lesser_lag;
    if (hull.greater_lag - lag <= kStanding / 2 || lag > spacing.slowest_arm_us) return false;
    if (lag * kFastest < spacing.way) return false;
    return hull.shorter * spacing.mm < lag * kArm;
}

// The cost of nobody, seen by both beams: a person who turned round or leant there, an arm, noise. Stops counting at
// *limit*.
int32_t nobody_cost(const Group& group, const Hull& hull, bool complete, int32_t limit) {
    const bool single = group.outer_size == 1 && group.inner_size == 1;
    const int32_t arm = single ? arm_mm(hull, group.spacing) : 0;
    if (arm > 0) return kArmAlone + between(0, (arm - kArm) * 10, 400);
    if (single && stayed(hull, group.spacing)) return kArmThatStayed;
    const bool wide = group.spacing.is_wide;
    if (wide && hull.greater_lag > kBetween) return kImpossible;
    const auto more = static_cast<int32_t>(group.outer_size + group.inner_size - 2);
    int32_t cost = kNobody + kMorePieces * more + (complete ? 600 : 0);
    if (wide && more == 1) return cost;
    if (cost + kClear * group.clear_times >= limit) return limit;
    if (!wide && are_apart(group)) cost += kClear;
    const auto enough = [&] { return (limit - cost + kClear - 1) / kClear; };
    cost += kClear * clear_times(group.outer, group.outer_size, group.inner, group.inner_size, enough());
    cost += kClear * clear_times(group.inner, group.inner_size, group.outer, group.outer_size, enough());
    return cost;
}

constexpr int32_t kNear = 120;  // mm: no arm fits between closer beams
constexpr int32_t kAgainst = 300;

// Whether one beam saw *group*, briefly and for less than three fifths of the time it saw *other*.
bool is_limb(const Group& group, const Passage& passage, const Group& other) {
    if (!passage.brief || !is_seen_by_one(group) || is_seen_by_one(other)) return false;
    const bool outer = group.outer_size > 0;
    const size_t size = outer ? other.outer_size : other.inner_size;
    const Interval* const same = outer ? other.outer : other.inner;
    return (to_of(group) - from_of(group)) * 5 < (same[size - 1].to_us - same[0].from_us) * 3;
}

// Whether *alone*, which one beam saw before or after *body*, contradicts the body's direction. A limb that trails
// behind at the first beam also comes to the second; one that is ahead at the second was at the first. It also
// contradicts if the other beam shows it as one of the body's pieces.
bool is_against(const Group& alone, const Passage& body, bool is_after) {
    if (!is_seen_by_one(alone) || !body.complete) return false;
    const bool outer = alone.outer_size > 0;
    if (outer ? body.inner_size > body.outer_size : body.outer_size > body.inner_size) return true;
    if (alone.spacing.mm > kNear) return false;  // an arm may swing back between the beams
    const bool at_first = outer == (body.direction == Direction::kEntry);
    return at_first == is_after;
}

bool stood(const Passage& passage) { return passage.to_us - passage.from_us > kStanding; }

// The speed of two bodies, or of the walking one if the other stood; 0 if one may be a pram.
int32_t speed_between(const Passage& before, const Passage& after) {
    const bool is_before = before.length_mm < kDeepest;
    const bool is_after = after.length_mm < kDeepest;
    if (is_before && is_after) return (before.speed_mm_s + after.speed_mm_s) / 2;
    if (is_before && stood(after)) return before.speed_mm_s;
    return is_after && stood(before) ? after.speed_mm_s : 0;
}

bool is_plain(const Passage& passage) { return passage.steady && passage.length_mm <= kDeepest + kPlain; }

}  // namespace

bool may_be_passing_arm(const Group& group) {
    if (group.outer_size != 1 || group.inner_size != 1) return false;
    const Hull hull = hull_of(group);
    return arm_mm(hull, group.spacing) > 0 || stayed(hull, group.spacing);
}

bool costs_at_least(const Group& group, int32_t limit) {
    const bool is_body_sized = group.outer_size <= kMostBodyPieces && group.inner_size <= kMostBodyPieces;
    if (is_body_sized || group.pieces <= kMostRigidPieces) return false;
    const auto more = static_cast<int32_t>(group.outer_size + group.inner_size - 2);
    return kNobody + kMorePieces * more + kClear * group.clear_times >= limit;
}

int32_t group_cost(const Group& group, int32_t limit, Passage& passage) {
    int32_t cost = kImpossible;
    bool complete = false;
    if (is_seen_by_one(group)) {
        cost = alone_cost(group);
    } else {
        const Hull hull = hull_of(group);
        const bool is_through = is_complete(hull, group.spacing);
        if (is_through) cost = body_cost(group, hull, limit, passage);
        cost = between(0, rigid_cost(group, hull, between(0, cost, limit), passage), cost);
        const int32_t nobody = nobody_cost(group, hull, is_through, between(0, cost, limit));
        complete = cost <= nobody;
        if (!complete) cost = nobody;
    }
    if (cost >= limit) return cost;
    if (!complete) passage = {};
    passage.complete = complete;
    passage.brief = to_of(group) - from_of(group) <= kBrief;
    passage.from_us = from_of(group);
    passage.to_us = to_of(group);
    passage.outer_size = static_cast<uint8_t>(group.outer_size);
    passage.inner_size = static_cast<uint8_t>(group.inner_size);
    return cost;
}

bool is_plain_walker(const Interval& outer, const Interval& inner, uint32_t spacing_mm) {
    const Spacing spacing(spacing_mm);
    Passage passage;
    return group_cost({&outer, 1, &inner, 1, spacing}, kPlainCost + 1, passage) <= kPlainCost && passage.complete;
}

bool is_clear_between(const Passage& before, const Passage& after) { return after.from_us - before.to_us > kMoment; }

int32_t border_cost(const Group& earlier, const Passage& before, const Group& later, const Passage& after) {
    int32_t cost = is_clear_between(before, after) ? 0 : later.spacing.is_wide ? 30 : 240;
    if (is_blip(earlier) || is_blip(later)) return 0;
    if (is_seen_by_one(earlier) && is_seen_by_one(later)) return cost * 2;  // one thing seen by both beams is likelier
    if (is_limb(earlier, before, later) || is_limb(later, after, earlier)) {
        return cost / 2 + (is_against(earlier, after, false) || is_against(later, before, true) ? kAgainst : 0);
    }
    if (!before.complete && may_be_passing_arm(earlier)) return cost / 4;
    if (!after.complete && may_be_passing_arm(later)) return cost / 4;
    if (!before.complete || !after.complete) return cost;
    if (before.direction != after.direction) {  // a person who turns round is not even in both directions
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
