#include "detector_hull.h"

namespace footfall {

namespace {

constexpr int64_t kBriefest = 40'000;      // us: 16 cm at 4 m/s
constexpr int64_t kBriefestEven = 34'000;  // us: a child at that speed, seen by both beams alike
constexpr int64_t kRunner = 75'000;        // us: 30 cm at 4 m/s
constexpr int64_t kHardlyABody = 85'000;  // us: 26 cm at 4 m/s
constexpr int64_t kSwift = 400'000;        // us: who runs is through in less

// Whether the shorter step of something brief is one that a body takes. Arms that a runner holds out may cover the beams
// so that one of the steps seems to go the other way; who turns round is slower in both.
bool has_a_runners_step(const Hull& hull, const Spacing& spacing) {
    if (hull.shorter < kHardlyABody) return hull.lesser_lag >= spacing.brief_step_us;
    const bool runs = hull.greater_lag <= spacing.run_step_us;
    return hull.lesser_lag >= -(runs ? most(kEdge, hull.greater_lag * 3 / 5) : kEdge);
}

}  // namespace

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

}  // namespace footfall
