// The outline of a group, and the amounts that all costs are made of.
#pragma once

#include "detector_group.h"

namespace footfall {

constexpr int32_t kImpossible = 1'000'000;

constexpr size_t kMostBodyPieces = 6;   // that one beam makes of a body and its arms
constexpr size_t kMostRigidPieces = 5;  // a trunk, both arms ahead, both behind

// Lengths, mm. Chest and abdomen of adults are 18 to 35 cm deep, of a child of three 12 or more; the beam's own width
// adds 2 to 5 cm. An arm is 5 to 9 cm.
constexpr int32_t kShortest = 80;     // below this, nobody
constexpr int32_t kSlim = 125;        // from here on, a child, where nothing else is near
constexpr int32_t kShort = 140;       // from here on, somebody
constexpr int32_t kDeepest = 450;     // up to here, one body
constexpr int32_t kPeopleApart = 90;  // people in file leave 15 cm or more, of which the beam's width takes up to 5
constexpr int32_t kPlain = 100;       // more than kDeepest, with a bag, when as fast at the second beam as at the first
constexpr int32_t kUnknownLength = 1'000'000;

// Times, us.
constexpr int64_t kJitter = 10'000;      // of a lag
constexpr int64_t kEdge = 6'000;         // of an edge
constexpr int64_t kMoment = 35'000;      // both beams clear for less is a hole, not the air between two people
constexpr int64_t kSmallHole = 45'000;   // one beam may fill so short a hole where the other does not
constexpr int64_t kBrief = 120'000;      // an arm, a flicker
constexpr int64_t kBlip = 8'000;         // an arm of 5 cm takes longer
constexpr int64_t kStanding = 1'000'000;  // who covers a beam for longer has all but stopped
constexpr int64_t kBetween = 3'000'000;  // from one beam to the other, where a body fits between them

constexpr int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }
constexpr int32_t between(int64_t low, int64_t value, int64_t high) {
    return static_cast<int32_t>(most(low, least(value, high)));
}

// a / b, b being positive. The ESP8266 divides 32 bits in a loop, and 64 bits by four such loops and more.
constexpr int64_t quotient(int64_t a, int64_t b) {
    constexpr int64_t kSmall = INT32_MAX;
    if (a < 0 || a > kSmall || b > kSmall) return a / b;
    return static_cast<uint32_t>(a) / static_cast<uint32_t>(b);
}
constexpr int32_t way_mm(int32_t speed_mm_s, int64_t us) {
    return between(0, quotient(us * speed_mm_s, 1'000'000), kUnknownLength);
}

// The first and last edge of each beam: what a body without holes would have shown. An exit is turned round, so that
// lags of whatever passed are positive.
struct Hull {
    Direction direction;
    int64_t lesser_lag;  // of the first edges' and the last edges', from beam to beam
    int64_t greater_lag;
    int64_t shorter;  // of the two beams' times
};

// The outline of a group that both beams saw.
Hull hull_of(const Group& group);

// Whether the first and last edges are those of something that went through both beams.
bool is_complete(const Hull& hull, const Spacing& spacing);

// What a thing of that length costs as a body.
int32_t length_cost(int32_t length_mm);

}  // namespace footfall
