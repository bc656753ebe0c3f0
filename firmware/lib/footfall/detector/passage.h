// The detector's data types: what one beam saw (Interval), and what the detector makes of both beams (Passage).
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace footfall {

enum class Beam : uint8_t { kOuter = 0, kInner = 1 };
enum class Direction : int8_t { kEntry = 1, kExit = -1 };

// A beam was interrupted in [from_us, to_us), except for holes no longer than Detector::kHole (a fold of dark cloth).
struct Interval {
    int64_t from_us;
    int64_t to_us;  // kOpen while the interruption lasts
    int64_t holes_us;
};
constexpr int64_t kOpen = INT64_MAX;

// The undecided intervals of one beam, oldest first.
struct Intervals {
    static constexpr size_t kCapacity = 12;  // five people in file, both arms of each visible
    Interval at[kCapacity];
    size_t size = 0;

    void remove_oldest(size_t count) {
        for (size_t k = count; k < size; ++k) at[k - count] = at[k];
        size -= count;
    }
};

// One thing that entered the beams and left them.
struct Passage {
    bool complete;  // it went through both beams as a body does; the next five fields are valid only then
    Direction direction;
    int64_t at_us;       // when its middle was between the beams
    int32_t length_mm;   // apparent length; far too long if it stood still
    int32_t speed_mm_s;  // the faster of its two steps from beam to beam
    bool steady;         // as fast at the second beam as at the first
    bool brief;          // no longer than an arm or a flicker; valid for every passage
    int64_t from_us;     // first edge in either beam
    int64_t to_us;       // last edge in either beam
    uint8_t outer_size;  // number of its intervals in each beam
    uint8_t inner_size;
    bool clear_after;    // both beams were clear between this passage and the next
};

constexpr int32_t kArmsReach = 450;    // mm, from an arm to the body it belongs to
constexpr int32_t kLongestArm = 150;  // mm: an arm of 5 to 10 cm, plus the width of the beam

// Whether the passage is as short as an arm. The length of a brief one is less certain, because an arm swings.
constexpr bool may_be_arm(const Passage& passage) {
    const int64_t covered_ms = passage.length_mm * int64_t{1000} / passage.speed_mm_s;
    return passage.length_mm < kLongestArm || (passage.length_mm < 220 && covered_ms <= 125);
}

}  // namespace footfall
