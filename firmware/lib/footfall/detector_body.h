// What it costs to take a group for one body that passed.
#pragma once

#include "detector_hull.h"

namespace footfall {

// Returns the cost where it is less than *limit*, and fills in what a complete passage tells; else at least *limit*.
// *hull* is the group's, and complete.
int32_t body_cost(const Group& group, const Hull& hull, int32_t limit, Passage& passage);

}  // namespace footfall
