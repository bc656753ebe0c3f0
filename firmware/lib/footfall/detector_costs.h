// What each reading of some intervals costs. DETECTOR.md lists the costs with their reasons.
#pragma once

#include "detector_group.h"

namespace footfall {

// Whether *group* is too much for one body and costs *limit* as nobody, by what its caller knows: group_cost() says so
// too, but after more thought.
bool costs_at_least(const Group& group, int32_t limit);

// What the cheapest reading of *group* as one passage costs, where that is less than *limit*; *passage* is then that
// reading. Else at least *limit*, and *passage* means nothing. At least one beam has an interval.
int32_t group_cost(const Group& group, int32_t limit, Passage& passage);

// Whether what one interval of each beam shows is as fast at the second beam as at the first and no longer than an arm,
// or an arm that passed one of them and stayed in the other.
bool may_be_passing_arm(const Group& group);

// Whether the two intervals alone are a body of a person's length at an even speed: what costs next to nothing.
bool is_plain_walker(const Interval& outer, const Interval& inner, uint32_t spacing_mm);

}  // namespace footfall
