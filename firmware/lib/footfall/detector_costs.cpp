#include "detector_costs.h"

#include "detector_rigid.h"

namespace footfall {

namespace {

// Bodies. Chest and abdomen of adults are 18 to 35 cm deep, of a child of three 12 or more; the beam's own width adds
// 2 to 5 cm. An arm is 5 to 9 cm.
constexpr int32_t kShortest = 80;      // mm: below this, nobody
constexpr int32_t kShort = 140;        // mm: from here on, somebody
constexpr int32_t kDeepest = 450;      // mm: up to here, one body
constexpr int32_t kFillable = 40;      // mm: a hole no wider is a fold of cloth, not the air between two people
constexpr int32_t kPeopleApart = 90;   // mm: people in file leave 15 cm or more, of which the beam's width takes up to 5
constexpr int32_t kArmsReach = 450;    // mm
constexpr size_t kMostPieces = 6;       // that one beam makes of a body and its arms
constexpr int32_t kUnknownLength = 1'000'000;

// Speeds.
constexpr int32_t kFastestStep = 8000;     // mm/s from one beam to the other, once: 4 m/s and several ms of jitter
constexpr int32_t kFastest = 7000;         // mm/s over both steps, the same
constexpr int32_t kFastestBody = 9000;     // mm/s over both steps of what covers a beam as long as a runner with arms does
constexpr int32_t kFastestStop = 2200;     // mm/s over both steps: who stops within a body's length was no faster
constexpr int32_t kFastestStopStep = 4000; // mm/s in one of them, with an arm ahead
constexpr int32_t kFastestArm = 2000;      // mm/s: a step that looks faster than this, and than the other, was an arm's
constexpr int64_t kStop = 150'000;         // us by which a lag is longer when somebody stopped
constexpr int64_t kStanding = 1'000'000;   // us: who covers a beam for longer has all but stopped
constexpr int64_t kHardlyABody = 85'000;   // us: 26 cm at 4 m/s
constexpr int64_t kRunner = 75'000;         // us: 30 cm at 4 m/s
constexpr int64_t kSwift = 400'000;        // us: who runs is through in less
constexpr int64_t kBriefest = 40'000;      // us: 16 cm at 4 m/s
constexpr int64_t kJitter = 10'000;        // us of a lag
constexpr int64_t kEdge = 6'000;           // us of an edge
constexpr int64_t kMoment = 35'000;        // us: both beams clear for less is a hole, not the air between two people
constexpr int64_t kBrief = 120'000;        // us: an arm, a flicker
constexpr int64_t kBetween = 3'000'000;    // us from one beam to the other, where a body fits between them

// Costs.
constexpr int32_t kArm = 110;         // mm: of 5 to 9 cm and the beam's width; no body
constexpr int32_t kLongestArm = 150;  // mm: up to here it may be either
constexpr uint32_t kNear = 120;  // mm: beams that no arm fits between
constexpr int32_t kAgainst = 300;
constexpr int32_t kArmAlone = 150;
constexpr int32_t kLimb = 60;            // each piece beside the trunk that has the trunk's lag
constexpr int32_t kPlain = 100;          // a body with a bag, as fast at the second beam as at the first
constexpr int32_t kBackAndForth = 200;  // a hole that somebody made who went back and forth; each such way makes two
constexpr int32_t kWideSpacing = 150;  // mm: from here on, a body may stand between the beams unseen

bool is_wide(uint32_t spacing_mm) { return spacing_mm > static_cast<uint32_t>(kWideSpacing); }

int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
int32_t between(int64_t low, int64_t value, int64_t high) { return static_cast<int32_t>(most(low, least(value, high))); }

int32_t way_mm(int32_t speed_mm_s, int64_t us) {
    return between(0, us * speed_mm_s / 1'000'000, kUnknownLength);
}

int64_t from_of(const Group& group) {
    if (group.outer_size == 0) return group.inner[0].from_us;
    if (group.inner_size == 0) return group.outer[0].from_us;
    return least(group.outer[0].from_us, group.inner[0].from_us);
}

int64_t to_of(const Group& group) {
    if (group.outer_size == 0) return group.inner[group.inner_size - 1].to_us;
    if (group.inner_size == 0) return group.outer[group.outer_size - 1].to_us;
    return most(group.outer[group.outer_size - 1].to_us, group.inner[group.inner_size - 1].to_us);
}

// The first and last edge of each beam: what a body without holes would have shown.
// The first and last edge of each beam: what a body without holes would have shown. An exit is turned round, so that
// lags of whatever passed are positive.
struct Hull {
    Direction direction;
    int64_t lesser_lag;  // of the first edges' and the last edges', from beam to beam
    int64_t greater_lag;
    int64_t shorter;  // of the two beams' times
};

Hull hull_of(const Group& group) {
    const int64_t outer_from = group.outer[0].from_us;
    const int64_t outer_to = group.outer[group.outer_size - 1].to_us;
    const int64_t inner_from = group.inner[0].from_us;
    const int64_t inner_to = group.inner[group.inner_size - 1].to_us;
    const int64_t rise_lag = inner_from - outer_from;
    const int64_t fall_lag = inner_to - outer_to;
    const bool entry = rise_lag + fall_lag >= 0;
    Hull hull;
    hull.direction = entry ? Direction::kEntry : Direction::kExit;
    hull.lesser_lag = entry ? least(rise_lag, fall_lag) : least(-rise_lag, -fall_lag);
    hull.greater_lag = entry ? most(rise_lag, fall_lag) : most(-rise_lag, -fall_lag);
    hull.shorter = least(outer_to - outer_from, inner_to - inner_from);
    return hull;
}

// The time from beam to beam that tells the speed. An arm ahead of the body or behind it makes one lag shorter and leaves
// the other, so their mean is believed. Whoever stops makes one much longer: then it is the lesser one, unless that was
// an arm's.
int64_t lag_of(const Hull& hull, uint32_t spacing_mm) {
    const int64_t mean = (hull.lesser_lag + hull.greater_lag) / 2;
    if (hull.greater_lag - hull.lesser_lag <= kStop) return most(1, mean);
    return most(hull.lesser_lag, least(mean / 2, static_cast<int64_t>(spacing_mm) * 1'000'000 / kFastestArm));
}

// Whether the first and last edges are those of something that went through both beams.
bool is_complete(const Hull& hull, uint32_t spacing_mm) {
    const int64_t way = static_cast<int64_t>(spacing_mm) * 1'000'000;  // us at 1 mm/s
    const int32_t fastest = hull.shorter < kRunner ? kFastest : kFastestBody;
    if (hull.shorter < kBriefest || (hull.lesser_lag + hull.greater_lag) * fastest < 2 * way) return false;
    if (hull.shorter < kSwift) {
        return hull.lesser_lag >= (hull.shorter < kHardlyABody ? way / kFastestStep : -kEdge);
    }
    if (hull.shorter > kStanding) {
        return hull.lesser_lag * kFastestStopStep >= way &&
               (hull.lesser_lag + hull.greater_lag) * kFastestStop >= 2 * way;
    }
    return hull.lesser_lag * kFastestStep >= way;
}

// Whether both beams are clear for more than a moment of [from_us, to_us), as far as *other* can tell.
bool is_clear_within(int64_t from_us, int64_t to_us, const Interval* other, size_t size) {
    int64_t reached = from_us;
    for (size_t k = 0; k < size && reached < to_us; ++k) {
        if (least(other[k].from_us, to_us) - reached > kMoment) return true;
        reached = most(reached, other[k].to_us);
    }
    return to_us - reached > kMoment;
}

// What the holes of one beam cost, when one body is to have them all.
int32_t holes_cost(const Interval* own, size_t size, const Interval* other, size_t other_size, int32_t speed_mm_s) {
    int32_t cost = 0;
    for (size_t k = 0; k + 1 < size; ++k) {
        const int32_t hole = way_mm(speed_mm_s, own[k + 1].from_us - own[k].to_us);
        const int64_t piece = least(own[k].to_us - own[k].from_us, own[k + 1].to_us - own[k + 1].from_us);
        if (hole <= kFillable) {
            cost += 30;
        } else if (way_mm(speed_mm_s, piece) < kShort) {
            cost += hole <= kArmsReach ? 150 + hole / 2 : 3000;
        } else if (hole <= kPeopleApart) {
            cost += 100 + (hole - kFillable) * 4;
        } else if (is_clear_within(own[k].to_us, own[k + 1].from_us, other, other_size)) {
            cost += 3000;
        } else {
            cost += kBackAndForth;
        }
    }
    return cost;
}

int32_t length_cost(int32_t length_mm) {
    if (length_mm < kShortest) return 2000;
    if (length_mm < kShort) return (kShort - length_mm) * 30;
    return between(0, length_mm - kDeepest, 150);
}

// A steady walker's two lags are alike; one who stopped has one of them long. 0 to 300.
int32_t unsteady_cost(const Hull& hull, int64_t lag) {
    const int64_t lesser = most(hull.lesser_lag, lag / 2);
    return between(0, ((hull.greater_lag - kJitter) * 400 - lesser * 520) / lesser, 300);
}

// Chatter of both beams at once can have the outline of a body, but is mostly holes.
bool is_mostly_filled(const Interval* own, size_t size) {
    int64_t holes = 0;
    int64_t all = 0;
    for (size_t k = 0; k < size; ++k) {
        holes += own[k].holes_us;
        all += own[k].to_us - own[k].from_us;
    }
    return holes * 3 <= all;
}

// When the body was centred between the beams: for the last time, where it went back and forth.
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

// What it costs to take the group for a body that passed. Fills in *passage*.
int32_t body_cost(const Group& group, Passage& passage) {
    if (group.outer_size > kMostPieces || group.inner_size > kMostPieces) return kImpossible;
    const Hull hull = hull_of(group);
    if (!is_complete(hull, group.spacing_mm)) return kImpossible;
    if (!is_mostly_filled(group.outer, group.outer_size) || !is_mostly_filled(group.inner, group.inner_size)) {
        return kImpossible;
    }
    const auto spacing_mm = static_cast<int64_t>(group.spacing_mm);
    const int64_t lag = lag_of(hull, group.spacing_mm);
    passage.direction = hull.direction;
    passage.speed_mm_s = between(1, spacing_mm * 1'000'000 / lag, kFastestStep);
    passage.length_mm = between(0, spacing_mm * hull.shorter / lag, kUnknownLength);
    // A body has a trunk: flickers of both beams may have a body's outline, but none of them is as long.
    const int64_t trunk_us = least(longest_us(group.outer, group.outer_size), longest_us(group.inner, group.inner_size));
    if (way_mm(passage.speed_mm_s, trunk_us) < kShortest) return kImpossible;
    // Who stood in each beam in turn has two long lags; having covered both at once they are longer than the spacing.
    const bool stood = hull.shorter > kStanding && lag < hull.shorter;
    int32_t cost = stood && passage.length_mm < kShort ? 0 : length_cost(passage.length_mm);
    if (is_wide(group.spacing_mm) && lag > hull.shorter) {  // it fits between the beams, and may have stood there
        if (hull.greater_lag > kBetween) return kImpossible;
        if (hull.shorter >= kBrief) cost = between(0, cost, 250);
    }
    const int32_t unsteady = unsteady_cost(hull, lag);
    passage.steady = unsteady < 100;
    const int32_t holes =
        holes_cost(group.outer, group.outer_size, group.inner, group.inner_size, passage.speed_mm_s) +
        holes_cost(group.inner, group.inner_size, group.outer, group.outer_size, passage.speed_mm_s);
    // Whoever goes back and forth is unsteady and long, which the holes have paid for.
    const bool to_and_fro = hull.shorter > kStanding && holes >= kBackAndForth;
    passage.at_us = middle_of(group, hull.direction, to_and_fro);
    return holes + (to_and_fro ? 0 : cost + unsteady);
}

// What it costs to take the group for a trunk and limbs that passed with one lag. Fills in *passage* where that is less
// than *most*.
int32_t rigid_cost(const Group& group, int32_t most_cost, Passage& passage) {
    Rigid rigid;
    if (!is_rigid(group, rigid)) return kImpossible;
    const auto spacing_mm = static_cast<int64_t>(group.spacing_mm);
    const int32_t length_mm = between(0, spacing_mm * rigid.trunk_us / rigid.lag_us, kUnknownLength);
    const int32_t uneven = between(0, (rigid.uneven_us - kEdge) * 800 / rigid.lag_us, 200);
    const int32_t cost = kLimb * rigid.limbs + length_cost(length_mm) + uneven;
    if (cost >= most_cost) return kImpossible;
    passage.direction = rigid.direction;
    passage.speed_mm_s = between(1, spacing_mm * 1'000'000 / rigid.lag_us, kFastestStep);
    passage.length_mm = length_mm;
    passage.at_us = rigid.trunk_at_us;
    passage.steady = true;
    return cost;
}

// How often both beams were clear inside the group, apart from times too short to tell.
int32_t clear_times(const Group& group) {
    int32_t times = 0;
    for (size_t k = 0; k + 1 < group.outer_size; ++k) {
        const Interval& a = group.outer[k];
        const Interval& b = group.outer[k + 1];
        times += is_clear_within(a.to_us, b.from_us, group.inner, group.inner_size) ? 1 : 0;
    }
    for (size_t k = 0; k + 1 < group.inner_size; ++k) {
        const Interval& a = group.inner[k];
        const Interval& b = group.inner[k + 1];
        times += is_clear_within(a.to_us, b.from_us, group.outer, group.outer_size) ? 1 : 0;
    }
    return times;
}

// Whether one beam had long been left when the other was reached.
bool are_apart(const Group& group) {
    return group.outer[group.outer_size - 1].to_us < group.inner[0].from_us ||
           group.inner[group.inner_size - 1].to_us < group.outer[0].from_us;
}

// What it costs to take the group for nobody: somebody who turned round or leant there, an arm, noise.
int32_t nobody_cost(const Group& group) {
    const bool wide = is_wide(group.spacing_mm);
    if (group.outer_size == 0 || group.inner_size == 0) {
        if (group.outer_size + group.inner_size > 1) return kImpossible;
        if (to_of(group) - from_of(group) <= kBrief) return 100;
        return wide ? 450 : 300;
    }
    const Hull hull = hull_of(group);
    const auto more = static_cast<int32_t>(group.outer_size + group.inner_size - 2);
    const int32_t cost = 300 + 80 * more + (is_complete(hull, group.spacing_mm) ? 600 : 0);
    if (!wide) return cost + 500 * (clear_times(group) + (are_apart(group) ? 1 : 0));
    return hull.greater_lag > kBetween ? kImpossible : cost + (more == 1 ? 0 : 500 * clear_times(group));
}

// How long what one interval of each beam shows is, if it is as fast at the second beam as at the first and no longer
// than an arm; else 0.
int32_t passing_arm_mm(const Group& group) {
    if (group.outer_size != 1 || group.inner_size != 1) return 0;
    const Hull hull = hull_of(group);
    const int64_t lag = (hull.lesser_lag + hull.greater_lag) / 2;
    if (hull.lesser_lag * kFastest < static_cast<int64_t>(group.spacing_mm) * 1'000'000) return 0;
    if (hull.greater_lag - hull.lesser_lag > kJitter + lag / 4) return 0;
    const int32_t length_mm = between(1, hull.shorter * static_cast<int64_t>(group.spacing_mm) / lag, kUnknownLength);
    return length_mm < kLongestArm ? length_mm : 0;
}

bool is_seen_by_one(const Group& group) { return group.outer_size == 0 || group.inner_size == 0; }

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
    if (alone.spacing_mm > kNear) return false;  // an arm may swing back between the beams
    const bool at_first = outer == (body.direction == Direction::kEntry);
    return at_first == is_after;
}

bool is_plain(const Passage& passage) { return passage.steady && passage.length_mm <= kDeepest + kPlain; }

}  // namespace

int32_t group_cost(const Group& group, Passage& passage) {
    passage = {};
    passage.brief = to_of(group) - from_of(group) <= kBrief;
    passage.from_us = from_of(group);
    passage.to_us = to_of(group);
    passage.outer_size = static_cast<uint8_t>(group.outer_size);
    passage.inner_size = static_cast<uint8_t>(group.inner_size);
    const int32_t arm_mm = passing_arm_mm(group);
    const int32_t nobody = arm_mm > 0 ? kArmAlone + between(0, (arm_mm - kArm) * 10, 400) : nobody_cost(group);
    if (group.outer_size == 0 || group.inner_size == 0) return nobody;
    int32_t body = body_cost(group, passage);
    body = between(0, rigid_cost(group, body, passage), body);
    passage.complete = body <= nobody;
    return passage.complete ? body : nobody;
}

bool is_clear_between(const Passage& before, const Passage& after) { return after.from_us - before.to_us > kMoment; }

int32_t border_cost(const Group& earlier, const Passage& before, const Group& later, const Passage& after) {
    int32_t cost = is_clear_between(before, after) ? 0 : is_wide(later.spacing_mm) ? 30 : 240;
    if (is_seen_by_one(earlier) && is_seen_by_one(later)) return cost * 2;  // why then not one, seen by both?
    if (is_limb(earlier, before, later) || is_limb(later, after, earlier)) {
        return cost / 2 + (is_against(earlier, after, false) || is_against(later, before, true) ? kAgainst : 0);
    }
    if (!before.complete && passing_arm_mm(earlier) > 0) return cost / 4;
    if (!after.complete && passing_arm_mm(later) > 0) return cost / 4;
    if (!before.complete || !after.complete) return cost;
    if (before.direction != after.direction) {  // who turns round among others does not walk evenly before and after
        return cost == 0 || is_wide(later.spacing_mm) || (is_plain(before) && is_plain(after)) ? cost : 1000;
    }
    if (before.length_mm >= kDeepest || after.length_mm >= kDeepest) return cost;
    if (may_be_arm(before) || may_be_arm(after)) return cost;
    const int64_t outer_gap_us = later.outer[0].from_us - earlier.outer[earlier.outer_size - 1].to_us;
    const int64_t inner_gap_us = later.inner[0].from_us - earlier.inner[earlier.inner_size - 1].to_us;
    const int32_t speed_mm_s = (before.speed_mm_s + after.speed_mm_s) / 2;
    const int32_t apart_mm = way_mm(speed_mm_s, (outer_gap_us + inner_gap_us) / 2);
    return apart_mm < kPeopleApart ? cost + between(0, (kPeopleApart - apart_mm) * 30, 600) : cost;
}

bool is_plain_walker(const Interval& outer, const Interval& inner, uint32_t spacing_mm) {
    Passage passage;
    return group_cost({&outer, 1, &inner, 1, spacing_mm}, passage) <= kPlain && passage.complete;
}

}  // namespace footfall
