#include "detector_body.h"

namespace footfall {

namespace {

constexpr int32_t kFillable = 40;    // mm: a hole no wider is a fold of cloth, not the air between two people
constexpr int32_t kArmsReach = 450;  // mm
constexpr int64_t kStop = 150'000;   // us by which a lag is longer when somebody stopped

constexpr int64_t kMostHoles = 33;       // per cent of each beam
constexpr int64_t kMostHolesOfOne = 50;  // of one of them, the other having at most kFewHoles
constexpr int64_t kFewHoles = 10;

constexpr int32_t kFold = 30;  // what the cheapest hole costs
constexpr int32_t kTwoThings = 3000;
constexpr int32_t kBackAndForth = 200;  // a hole that somebody made who went back and forth; each such way makes two

// The time from beam to beam that tells the speed. An arm ahead of the body or behind it makes one lag shorter and
// leaves the other, so their mean is believed. Whoever stops makes one much longer: then it is the lesser one, unless
// that was an arm's.
int64_t lag_of(const Hull& hull, const Spacing& spacing) {
    const int64_t mean = (hull.lesser_lag + hull.greater_lag) / 2;
    if (hull.greater_lag - hull.lesser_lag <= kStop) return most(1, mean);
    return most(hull.lesser_lag, least(mean / 2, spacing.arm_step_us));
}

// What the holes of one beam cost, when one body is to have them all; at least *limit* where they cost more.
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

// A steady walker's two lags are alike; one who stopped has one of them long. 0 to 300.
int32_t unsteady_cost(const Hull& hull, int64_t lag) {
    const int64_t lesser = most(hull.lesser_lag, lag / 2);
    const int64_t excess = (hull.greater_lag - kJitter) * 10 - lesser * 13;
    return excess <= 0 ? 0 : between(0, quotient(excess * 40, lesser), 300);
}

// How many per cent of what *own* covers are holes.
int64_t holes_percent(const Interval* own, size_t size) {
    int64_t holes = 0;
    int64_t all = 1;
    for (size_t k = 0; k < size; ++k) {
        holes += own[k].holes_us;
        all += own[k].to_us - own[k].from_us;
    }
    return quotient(holes * 100, all);
}

// Chatter of both beams at once can have the outline of a body, but is mostly holes. Dark clothes may be lost by one.
bool is_mostly_filled(const Group& group) {
    const int64_t outer = holes_percent(group.outer, group.outer_size);
    const int64_t inner = holes_percent(group.inner, group.inner_size);
    return most(outer, inner) <= (least(outer, inner) <= kFewHoles ? kMostHolesOfOne : kMostHoles);
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

// A body has a trunk: flickers of both beams may have a body's outline, but none of them is as long.
bool has_trunk(const Group& group, int32_t speed_mm_s) {
    const int64_t outer_us = longest_us(group.outer, group.outer_size);
    return way_mm(speed_mm_s, least(outer_us, longest_us(group.inner, group.inner_size))) >= kShortest;
}

// What it costs that a body is so long, *lag_us* from beam to beam.
int32_t size_cost(const Hull& hull, int64_t lag_us, int32_t length_mm, const Spacing& spacing) {
    // Who stood in each beam in turn has two long lags; having covered both at once they are longer than the spacing.
    const bool stood = hull.shorter > kStanding && lag_us < hull.shorter;
    const int32_t cost = stood && length_mm < kShort ? 0 : length_cost(length_mm);
    if (!spacing.is_wide || lag_us <= hull.shorter) return cost;
    // It fits between the beams, and may have stood there.
    if (hull.greater_lag > kBetween) return kImpossible;
    return hull.shorter >= kBrief ? between(0, cost, 250) : cost;
}

}  // namespace

int32_t body_cost(const Group& group, const Hull& hull, int32_t limit, Passage& passage) {
    const auto holes = static_cast<int32_t>(group.outer_size + group.inner_size - 2);
    if (group.outer_size > kMostBodyPieces || group.inner_size > kMostBodyPieces) return kImpossible;
    if (kFold * holes >= limit) return limit;
    const int64_t lag = lag_of(hull, group.spacing);
    const int32_t length_mm = between(0, quotient(hull.shorter * group.spacing.mm, lag), kUnknownLength);
    const int32_t size = size_cost(hull, lag, length_mm, group.spacing);
    if (size >= kImpossible) return kImpossible;
    // Whoever goes back and forth is unsteady and long, which the holes have paid for.
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

}  // namespace footfall
