// What the border between two passages costs.
#pragma once

#include "detector_group.h"

namespace footfall {

constexpr int32_t kDearestBorder = 1000;  // no border costs more

// What it costs that *earlier* and *later*, read as *before* and *after*, are two passages.
int32_t border_cost(const Group& earlier, const Passage& before, const Group& later, const Passage& after);

// Whether both beams were clear between the two, for more than a hole in a body.
bool is_clear_between(const Passage& before, const Passage& after);

}  // namespace footfall
