// The cost of reading a group as one passage, and of a border between two passages. README.md lists all costs.
#pragma once

#include "detector/group.h"

namespace footfall {

// The cost of the cheapest reading of *group* as one passage, and that reading in *passage*, if it costs less than
// *limit*. Otherwise at least *limit*, and *passage* is not valid. At least one beam has an interval.
int32_t group_cost(const Group& group, int32_t limit, Passage& passage);

// A cheap test before group_cost(): true if the lower bounds in *group* show that it cannot cost less than *limit*.
bool costs_at_least(const Group& group, int32_t limit);

// Whether the group, one interval of each beam, is an arm: one that passed both beams at an even speed, or one that
// passed the first and stayed in the second.
bool may_be_passing_arm(const Group& group);

// Whether these two intervals alone are a body of a person's length at an even speed.
bool is_plain_walker(const Interval& outer, const Interval& inner, uint32_t spacing_mm);

constexpr int32_t kDearestBorder = 1000;  // no border costs more

// The cost of taking *earlier* and *later*, read as *before* and *after*, for two passages.
int32_t border_cost(const Group& earlier, const Passage& before, const Group& later, const Passage& after);

// Whether both beams were clear between the two for longer than a hole in a body.
bool is_clear_between(const Passage& before, const Passage& after);

}  // namespace footfall
