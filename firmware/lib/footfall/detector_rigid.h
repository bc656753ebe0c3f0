// A trunk and its limbs that go by as one: each piece is seen by both beams, all with one lag.
//
//     outer  .##...######...##......        whether the pieces of one are longer than the lag or shorter,
//     inner  ....##...######...##..         and whether both beams are clear between them
#pragma once

#include "detector_hull.h"

namespace footfall {

// What moved as one, if something did.
struct Rigid {
    Direction direction;
    int64_t lag_us;       // mean of all edges
    int64_t uneven_us;    // mean difference from it
    int64_t trunk_us;     // how long the longest piece covers a beam: the shorter of both times
    int64_t trunk_at_us;  // when it was centred between the beams
    uint8_t limbs;        // all other pieces
};

// Whether the sizes and the outline of *group* allow that it is; the rest need not be looked at where they do not.
bool may_be_rigid(const Group& group, const Hull& hull);

// Whether *group* is one trunk with one to four limbs within reach of each other, all with about one lag.
bool is_rigid(const Group& group, Rigid& rigid);

}  // namespace footfall
