#include "detector_rigid.h"

namespace footfall {

namespace {

constexpr int64_t kLimbMm = 150;    // an arm of 5 to 10 cm and the beam's width
constexpr int64_t kReachMm = 450;   // from the arm to the trunk
constexpr int64_t kEdges = 12'000;  // us: jitter of the two edges of a lag, or two looks of a loop

int64_t distance(int64_t a, int64_t b) { return a < b ? b - a : a - b; }

struct Pieces {
    Interval at[kMostRigidPieces];
    size_t size;
};

// Copies the intervals, those joined that are no more than *hole_us* apart. False where they are too many.
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

// The pieces of both beams in the same number, with small holes as both beams show them.
bool gather_both(const Group& group, Pieces& outer, Pieces& inner) {
    const bool alike = group.outer_size == group.inner_size;
    const int64_t hole_us = alike ? 0 : kSmallHole;
    return gather(group.outer, group.outer_size, hole_us, outer) &&
           gather(group.inner, group.inner_size, hole_us, inner) && outer.size == inner.size && outer.size > 1;
}

// Measures the lags; false where they are not those of one thing.
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

// How many pieces gather() makes of them; one too many where they are more than enough.
size_t count(const Interval* own, size_t size, int64_t hole_us) {
    size_t pieces = 1;
    for (size_t k = 1; k < size && pieces <= kMostRigidPieces; ++k) {
        pieces += own[k].from_us - own[k - 1].to_us > hole_us ? 1 : 0;
    }
    return pieces;
}

// Whether both beams show the same number of pieces, two or more.
bool are_as_many(const Group& group) {
    if (group.outer_size == group.inner_size) return group.outer_size <= kMostRigidPieces;
    const size_t outer = count(group.outer, group.outer_size, kSmallHole);
    return outer > 1 && outer <= kMostRigidPieces && outer == count(group.inner, group.inner_size, kSmallHole);
}

}  // namespace

// All lags differ from their mean by a third of it and kEdges at most: those of the first and of the last edges too.
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
        if (k != trunk && (mm(limb_us) >= kLimbMm || limb_us * 3 > rigid.trunk_us * 2)) return false;
        if (k > 0 && mm(least(outer.at[k].from_us - outer.at[k - 1].to_us,
                              inner.at[k].from_us - inner.at[k - 1].to_us)) > kReachMm) {
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
