#include "detector/group.h"

namespace footfall {

namespace {

// How long a beam is covered, us.
constexpr int64_t kBriefest = 40'000;      // 16 cm at 4 m/s
constexpr int64_t kBriefestEven = 34'000;  // a child at that speed, seen alike by both beams
constexpr int64_t kRunner = 75'000;        // 30 cm at 4 m/s
constexpr int64_t kHardlyABody = 85'000;   // 26 cm at 4 m/s
constexpr int64_t kSwift = 400'000;        // a runner is through in less

// Whether a body can take the shorter step of something brief. A runner's arms may cover the beams so that one step
// seems to go backwards; a person who turns round is slower in both steps.
bool has_a_runners_step(const Hull& hull, const Spacing& spacing) {
    if (hull.shorter < kHardlyABody) return hull.lesser_lag >= spacing.brief_step_us;
    const bool runs = hull.greater_lag <= spacing.run_step_us;
    return hull.lesser_lag >= -(runs ? most(kEdge, hull.greater_lag * 3 / 5) : kEdge);
}

constexpr int64_t kEdges = 12'000;  // us: jitter of the two edges of a lag, or two rounds of a polling loop

int64_t distance(int64_t a, int64_t b) { return a < b ? b - a : a - b; }

struct Pieces {
    Interval at[kMostRigidPieces];
    size_t size;
};

// Copies the intervals and joins those at most *hole_us* apart. False if there are too many.
bool gather(const Interval* own, size_t size, int64_t hole_us, Pieces& pieces) {
    pieces.size = 0;
    for (size_t k = 0; k < size; ++k) {
        if (pieces.size > 0 && own[k].from_us - pieces.at[pieces.size - 1].to_us <= hole_us) {
            pieces.at[pieces.size - 1].to_us = own[k].to_us;
            continue;
        }
        if (pieces.size == kMostRigidPieces) return false;
        pieces.at[pieces.size++] = own[k];
    }
    return true;
}

// False unless both beams have the same number of pieces, two or more. If their numbers differ, small holes are filled.
bool gather_both(const Group& group, Pieces& outer, Pieces& inner) {
    const bool alike = group.outer_size == group.inner_size;
    const int64_t hole_us = alike ? 0 : kSmallHole;
    return gather(group.outer, group.outer_size, hole_us, outer) &&
           gather(group.inner, group.inner_size, hole_us, inner) && outer.size == inner.size && outer.size > 1;
}

// Measures the lags. False if one thing cannot have them.
bool measure(const Pieces& outer, const Pieces& inner, Rigid& rigid) {
    const auto edges = static_cast<int64_t>(2 * outer.size);
    int64_t sum = 0;
    for (size_t k = 0; k < outer.size; ++k) {
        sum += inner.at[k].from_us - outer.at[k].from_us + inner.at[k].to_us - outer.at[k].to_us;
    }
    rigid.direction = sum >= 0 ? Direction::kEntry : Direction::kExit;
    rigid.lag_us = distance(sum, 0) / edges;
    const int64_t lag = sum / edges;
    const int64_t most_uneven = kEdges + rigid.lag_us / 3;
    int64_t uneven = 0;
    for (size_t k = 0; k < outer.size; ++k) {
        const int64_t rise = distance(inner.at[k].from_us - outer.at[k].from_us, lag);
        const int64_t fall = distance(inner.at[k].to_us - outer.at[k].to_us, lag);
        if (rise > most_uneven || fall > most_uneven) return false;
        uneven += rise + fall;
    }
    rigid.uneven_us = uneven / edges;
    return true;
}

int64_t covered_us(const Pieces& outer, const Pieces& inner, size_t k) {
    return least(outer.at[k].to_us - outer.at[k].from_us, inner.at[k].to_us - inner.at[k].from_us);
}

// The number of pieces that gather() makes, counted no further than one too many.
size_t count(const Interval* own, size_t size, int64_t hole_us) {
    size_t pieces = 1;
    for (size_t k = 1; k < size && pieces <= kMostRigidPieces; ++k) {
        pieces += own[k].from_us - own[k - 1].to_us > hole_us ? 1 : 0;
    }
    return pieces;
}

// Whether gather_both() can succeed.
bool are_as_many(const Group& group) {
    if (group.outer_size == group.inner_size) return group.outer_size <= kMostRigidPieces;
    const size_t outer = count(group.outer, group.outer_size, kSmallHole);
    return outer > 1 && outer <= kMostRigidPieces && outer == count(group.inner, group.inner_size, kSmallHole);
}

}  // namespace

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

bool is_blip(const Group& group) { return is_seen_by_one(group) && to_of(group) - from_of(group) <= kBlip; }

bool is_clear_within(int64_t from_us, int64_t to_us, const Interval* other, size_t size) {
    int64_t reached = from_us;
    for (size_t k = 0; k < size && reached < to_us; ++k) {
        if (least(other[k].from_us, to_us) - reached > kMoment) return true;
        reached = most(reached, other[k].to_us);
    }
    return to_us - reached > kMoment;
}

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

bool is_complete(const Hull& hull, const Spacing& spacing) {
    const int64_t both_lags = hull.lesser_lag + hull.greater_lag;
    if (hull.shorter < (hull.greater_lag - hull.lesser_lag <= kEdge ? kBriefestEven : kBriefest)) return false;
    if (both_lags < (hull.shorter < kRunner ? spacing.fastest_us : spacing.fastest_body_us)) return false;
    if (hull.shorter < kSwift) return has_a_runners_step(hull, spacing);
    if (hull.shorter > kStanding) return hull.lesser_lag >= spacing.stop_step_us && both_lags >= spacing.stop_us;
    return hull.lesser_lag >= spacing.step_us;
}

int32_t length_cost(int32_t length_mm) {
    if (length_mm < kShortest) return 2000;
    if (length_mm < kSlim) return (kSlim - length_mm) * 30;
    return between(0, length_mm - kDeepest, 150);
}

// Every lag differs from the mean by at most a third of it plus kEdges; so do the lags of the first and last edges.
bool may_be_rigid(const Group& group, const Hull& hull) {
    if (group.outer_size < 2 || group.inner_size < 2) return false;
    const int64_t lesser = least(distance(hull.lesser_lag, 0), distance(hull.greater_lag, 0));
    return hull.greater_lag - hull.lesser_lag <= 3 * kEdges + lesser && are_as_many(group);
}

bool is_rigid(const Group& group, Rigid& rigid) {
    Pieces outer;
    Pieces inner;
    if (!gather_both(group, outer, inner) || !measure(outer, inner, rigid)) return false;
    if (rigid.lag_us * kFastest < group.spacing.way) return false;
    const auto mm = [&](int64_t us) { return quotient(us * group.spacing.mm, rigid.lag_us); };
    size_t trunk = 0;
    for (size_t k = 1; k < outer.size; ++k) {
        if (covered_us(outer, inner, k) > covered_us(outer, inner, trunk)) trunk = k;
    }
    rigid.trunk_us = covered_us(outer, inner, trunk);
    for (size_t k = 0; k < outer.size; ++k) {
        const int64_t limb_us = covered_us(outer, inner, k);
        if (k != trunk && (mm(limb_us) >= kLongestArm || limb_us * 3 > rigid.trunk_us * 2)) return false;
        if (k > 0 && mm(least(outer.at[k].from_us - outer.at[k - 1].to_us,
                              inner.at[k].from_us - inner.at[k - 1].to_us)) > kArmsReach) {
            return false;
        }
    }
    const bool entry = rigid.direction == Direction::kEntry;
    const int64_t reached_us = entry ? inner.at[trunk].from_us : outer.at[trunk].from_us;
    const int64_t left_us = entry ? outer.at[trunk].to_us : inner.at[trunk].to_us;
    rigid.trunk_at_us = reached_us + (left_us - reached_us) / 2;
    rigid.limbs = static_cast<uint8_t>(outer.size - 1);
    return true;
}

}  // namespace footfall
