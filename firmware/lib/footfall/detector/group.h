// A group: consecutive intervals of both beams that may be one passage. Here are its measures: outline, lags, limbs.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "detector/passage.h"

namespace footfall {

// Speeds, mm/s. Edges are off by some milliseconds, so people seem faster than they are. A step is the way from one
// beam to the other; the first edges of both beams time one step, the last edges another.
constexpr int32_t kFastest = 7000;          // mean of both steps: 4 m/s and jitter in each edge
constexpr int32_t kFastestStep = 8000;      // one step
constexpr int32_t kFastestBody = 14000;     // mean of both steps, if a beam is covered as long as by a runner with arms
constexpr int32_t kFastestBriefStep = 14000;  // one step, if a beam is covered only as long as by a runner
constexpr int32_t kFastestStop = 2200;      // mean of both steps: nobody faster stops within a body's length
constexpr int32_t kFastestStopStep = 4000;  // one step of somebody who stops, with an arm ahead
constexpr int32_t kFastestArm = 2000;       // a step faster than this, and than the other step, was an arm's
constexpr int32_t kSlowestRun = 1600;       // one step
constexpr int32_t kSlowestArm = 100;        // mean of both steps: slower than the slowest walk

constexpr int32_t kWideSpacing = 150;  // mm: beyond it, a body may stand unseen between the beams

// The speeds above as times from beam to beam, us. They are divided once here because the ESP8266 divides slowly.
struct Spacing {
    explicit constexpr Spacing(uint32_t spacing_mm)
        : mm(static_cast<int32_t>(spacing_mm)),
          way(mm * 1'000'000),
          step_us(way / kFastestStep),
          stop_step_us(way / kFastestStopStep),
          brief_step_us(way / kFastestBriefStep),
          run_step_us(way / kSlowestRun),
          arm_step_us(way / kFastestArm),
          slowest_arm_us(way / kSlowestArm),
          fastest_us(both_steps_us(kFastest)),
          fastest_body_us(both_steps_us(kFastestBody)),
          stop_us(both_steps_us(kFastestStop)),
          is_wide(mm > kWideSpacing) {}

    int32_t mm;               // at most 1000
    int32_t way;              // us at 1 mm/s
    int32_t step_us;          // least time of one step
    int32_t stop_step_us;     // ... for somebody who stops
    int32_t brief_step_us;    // ... for something as brief as a runner
    int32_t run_step_us;      // most time of one step for a runner
    int32_t arm_step_us;      // least time of one step for an arm
    int32_t slowest_arm_us;   // most time, mean of both steps, for an arm
    int32_t fastest_us;       // least time of both steps together
    int32_t fastest_body_us;  // ... if a beam is covered long enough for a body
    int32_t stop_us;          // ... for somebody who stops
    bool is_wide;

   private:
    constexpr int32_t both_steps_us(int32_t speed_mm_s) const {  // rounded up, so that the limit itself is allowed
        return static_cast<int32_t>((int64_t{2} * way + speed_mm_s - 1) / speed_mm_s);
    }
};

// All intervals are closed. One beam may have none.
struct Group {
    const Interval* outer;
    size_t outer_size;
    const Interval* inner;
    size_t inner_size;
    const Spacing& spacing;
    // Lower bounds that the caller knows:
    int32_t clear_times = 0;  // how often both beams are clear inside the group
    size_t pieces = 0;        // pieces of the beam that has more, holes up to kSmallHole not counted
};

constexpr bool is_seen_by_one(const Group& group) { return group.outer_size == 0 || group.inner_size == 0; }

int64_t from_of(const Group& group);
int64_t to_of(const Group& group);

// Whether only one beam saw the group, and too briefly for a limb at any speed. Such a group says nothing about others.
bool is_blip(const Group& group);

// Whether both beams are clear for more than kMoment in [from_us, to_us). The caller knows that one beam is; *other*
// holds the intervals of the other one.
bool is_clear_within(int64_t from_us, int64_t to_us, const Interval* other, size_t size);

constexpr int32_t kImpossible = 1'000'000;  // a cost above all others

constexpr size_t kMostBodyPieces = 6;   // pieces that one beam sees of a body and its arms
constexpr size_t kMostRigidPieces = 5;  // a trunk, both arms ahead, both behind

// Lengths, mm. Chest and abdomen of adults are 18 to 35 cm deep, those of a child of three 12 cm or more. The width of
// the beam adds 2 to 5 cm.
constexpr int32_t kShortest = 80;     // shorter things are nobody
constexpr int32_t kSlim = 125;        // a child, if nothing else is near
constexpr int32_t kShort = 140;       // somebody
constexpr int32_t kDeepest = 450;     // the longest single body
constexpr int32_t kPeopleApart = 90;  // people in file leave 15 cm or more, of which the beam's width takes up to 5
constexpr int32_t kPlain = 100;       // what a bag adds to kDeepest, if both steps are equally fast
constexpr int32_t kUnknownLength = 1'000'000;

// Times, us.
constexpr int64_t kJitter = 10'000;       // of a lag
constexpr int64_t kEdge = 6'000;          // of an edge
constexpr int64_t kMoment = 35'000;       // both beams clear for less: a hole in a body, not air between two people
constexpr int64_t kSmallHole = 45'000;    // a hole that one beam may show and the other may not
constexpr int64_t kBrief = 120'000;       // an arm, a flicker
constexpr int64_t kBlip = 8'000;          // an arm of 5 cm takes longer
constexpr int64_t kStanding = 1'000'000;  // a person who covers a beam for longer has almost stopped
constexpr int64_t kBetween = 3'000'000;   // from one beam to the other, where a body fits between them

constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
constexpr int32_t between(int64_t low, int64_t value, int64_t high) {
    return static_cast<int32_t>(most(low, least(value, high)));
}

// a / b for positive b. The ESP8266 divides 32 bits in a loop and 64 bits in more than four such loops.
constexpr int64_t quotient(int64_t a, int64_t b) {
    constexpr int64_t kSmall = INT32_MAX;
    if (a < 0 || a > kSmall || b > kSmall) return a / b;
    return static_cast<uint32_t>(a) / static_cast<uint32_t>(b);
}
constexpr int32_t way_mm(int32_t speed_mm_s, int64_t us) {
    return between(0, quotient(us * speed_mm_s, 1'000'000), kUnknownLength);
}

// The outline of a group: the first and the last edge of each beam, as a body without holes would show them. Exits are
// mirrored, so that the lags of a body that passed are positive.
struct Hull {
    Direction direction;
    int64_t lesser_lag;   // of the two lags from beam to beam: one of the first edges, one of the last edges
    int64_t greater_lag;
    int64_t shorter;      // of the two times for which a beam is covered
};

// Both beams must have seen the group.
Hull hull_of(const Group& group);

// Whether the outline is that of something that went through both beams.
bool is_complete(const Hull& hull, const Spacing& spacing);

// The cost of reading a thing of this length as a body.
int32_t length_cost(int32_t length_mm);

// A trunk and its limbs that pass as one: both beams see every piece, all with one lag. The pieces may be longer than
// the lag or shorter, and both beams may be clear between them.
//
//     outer  .##...######...##......
//     inner  ....##...######...##..
struct Rigid {
    Direction direction;
    int64_t lag_us;       // mean of all edges
    int64_t uneven_us;    // mean deviation from it
    int64_t trunk_us;     // how long the longest piece covers a beam: the shorter of both times
    int64_t trunk_at_us;  // when the trunk was centred between the beams
    uint8_t limbs;        // all other pieces
};

// A cheap test before is_rigid(): false if the sizes and the outline rule it out.
bool may_be_rigid(const Group& group, const Hull& hull);

// Whether *group* is one trunk with one to four limbs, each within kArmsReach of the next, all with about one lag.
bool is_rigid(const Group& group, Rigid& rigid);

}  // namespace footfall
