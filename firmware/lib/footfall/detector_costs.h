// What each reading of some intervals costs. DETECTOR.md lists the costs with their reasons.
#pragma once

#include "passage.h"

namespace footfall {

constexpr int32_t kImpossible = 1'000'000;

// Consecutive intervals of both beams that may be one passage. All are closed.
struct Group {
    const Interval* outer;
    size_t outer_size;
    const Interval* inner;
    size_t inner_size;
    uint32_t spacing_mm;
};

// What the cheapest reading of *group* as one passage costs; *passage* is that reading. At least one beam has an interval.
int32_t group_cost(const Group& group, Passage& passage);

// What it costs that *earlier* and *later*, read as *before* and *after*, are two passages.
int32_t border_cost(const Group& earlier, const Passage& before, const Group& later, const Passage& after);

// Whether both beams were clear between the two, for more than a hole in a body.
bool is_clear_between(const Passage& before, const Passage& after);

// Whether the two intervals alone are a body of a person's length at an even speed: what costs next to nothing.
bool is_plain_walker(const Interval& outer, const Interval& inner, uint32_t spacing_mm);

}  // namespace footfall
