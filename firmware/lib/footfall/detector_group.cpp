#include "detector_group.h"

#include "detector_hull.h"

namespace footfall {

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

}  // namespace footfall
