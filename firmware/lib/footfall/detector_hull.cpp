#include "detector_hull.h"

namespace footfall {

namespace {

constexpr int32_t kFastestBody = 9000;      // mm/s over both steps of what covers a beam as long as a runner with arms does
constexpr int32_t kFastestStop = 2200;      // mm/s over both steps: who stops within a body's length was no faster
constexpr int32_t kFastestStopStep = 4000;  // mm/s in one of them, with an arm ahead
constexpr int64_t kBriefest = 40'000;       // us: 16 cm at 4 m/s
constexpr int64_t kRunner = 75'000;         // us: 30 cm at 4 m/s
constexpr int64_t kHardlyABody = 85'000;    // us: 26 cm at 4 m/s
constexpr int64_t kSwift = 400'000;         // us: who runs is through in less

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

int32_t length_cost(int32_t length_mm) {
    if (length_mm < kShortest) return 2000;
    if (length_mm < kShort) return (kShort - length_mm) * 30;
    return between(0, length_mm - kDeepest, 150);
}

}  // namespace footfall
