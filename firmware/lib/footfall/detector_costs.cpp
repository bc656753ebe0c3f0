#include "detector_costs.h"

#include "detector_body.h"
#include "detector_rigid.h"

namespace footfall {

namespace {

constexpr int32_t kArm = 110;         // mm: of 5 to 9 cm and the beam's width; no body
constexpr int32_t kLongestArm = 150;  // mm: up to here it may be either
constexpr int32_t kBlipAlone = 50;
constexpr int32_t kArmAlone = 150;
constexpr int32_t kArmThatStayed = 200;
constexpr int32_t kLimb = 60;         // each piece beside the trunk that has the trunk's lag
constexpr int32_t kPlainCost = 100;   // at most, for somebody whom nothing speaks against
constexpr int32_t kNobody = 300;      // seen by both beams
constexpr int32_t kMorePieces = 80;   // of nobody, each
constexpr int32_t kClear = 500;       // each time that both beams are clear inside nobody

// What it costs to take the group for a trunk and limbs that passed with one lag. Fills in *passage* where that is less
// than *limit*.
int32_t rigid_cost(const Group& group, const Hull& hull, int32_t limit, Passage& passage) {
    Rigid rigid;
    const bool alike = group.outer_size == group.inner_size;  // else small holes may be filled, and one limb be left
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

// How often, up to *enough*, both beams are clear between intervals of *own*, apart from times too short to tell.
int32_t clear_times(const Interval* own, size_t size, const Interval* other, size_t other_size, int32_t enough) {
    int32_t times = 0;
    for (size_t k = 0; k + 1 < size && times < enough; ++k) {
        times += is_clear_within(own[k].to_us, own[k + 1].from_us, other, other_size) ? 1 : 0;
    }
    return times;
}

// Whether one beam had long been left when the other was reached.
bool are_apart(const Group& group) {
    return group.outer[group.outer_size - 1].to_us < group.inner[0].from_us ||
           group.inner[group.inner_size - 1].to_us < group.outer[0].from_us;
}

// What it costs that one beam saw something that was nobody.
int32_t alone_cost(const Group& group) {
    if (group.outer_size + group.inner_size > 1) return kImpossible;
    if (is_blip(group)) return kBlipAlone;
    if (to_of(group) - from_of(group) <= kBrief) return 100;
    return group.spacing.is_wide ? 450 : 300;
}

// How long what one interval of each beam shows is, if it is an arm that passed; else 0.
int32_t arm_mm(const Hull& hull, const Spacing& spacing) {
    const int64_t lag = (hull.lesser_lag + hull.greater_lag) / 2;
    if (hull.lesser_lag * kFastest < spacing.way || lag > spacing.slowest_arm_us) return 0;
    if (hull.greater_lag - hull.lesser_lag > kJitter + lag / 4) return 0;
    const int32_t length_mm = between(1, quotient(hull.shorter * spacing.mm, lag), kUnknownLength);
    return length_mm < kLongestArm ? length_mm : 0;
}

// Whether it is an arm that passed one beam as fast as an arm does and stayed in the other: its owner stood there.
bool stayed(const Hull& hull, const Spacing& spacing) {
    const int64_t lag = hull.lesser_lag;
    if (hull.greater_lag - lag <= kStanding / 2 || lag > spacing.slowest_arm_us) return false;
    if (lag * kFastest < spacing.way) return false;
    return hull.shorter * spacing.mm < lag * kArm;
}

// What it costs to take the group, which both beams saw, for nobody: somebody who turned round or leant there, an arm,
// noise. At least *limit* where it is not less.
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

}  // namespace footfall
