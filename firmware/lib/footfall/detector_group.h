// Some intervals of both beams that may be one passage.
#pragma once

#include "detector_spacing.h"
#include "passage.h"

namespace footfall {

// Consecutive intervals of both beams that may be one passage. All are closed.
struct Group {
    const Interval* outer;
    size_t outer_size;
    const Interval* inner;
    size_t inner_size;
    const Spacing& spacing;
    // What the caller knows already, or less:
    int32_t clear_times = 0;  // both beams are clear inside it at least so often
    size_t pieces = 0;        // one of the beams has at least so many, those joined that kSmallHole parts
};

constexpr bool is_seen_by_one(const Group& group) { return group.outer_size == 0 || group.inner_size == 0; }

int64_t from_of(const Group& group);
int64_t to_of(const Group& group);

// Whether it is too short for a limb, at whatever speed, and seen by one beam: what it is tells nothing about others.
bool is_blip(const Group& group);

// Whether both beams are clear for more than a moment of [from_us, to_us), as far as the intervals *other* can tell.
bool is_clear_within(int64_t from_us, int64_t to_us, const Interval* other, size_t size);

}  // namespace footfall
