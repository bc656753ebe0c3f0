// Words of the detector: what a beam saw, and what was made of it.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace footfall {

enum class Beam : uint8_t { kOuter = 0, kInner = 1 };
enum class Direction : int8_t { kEntry = 1, kExit = -1 };

// A beam was interrupted in [from_us, to_us), apart from holes too short to be anything but a fold of dark cloth.
struct Interval {
    int64_t from_us;
    int64_t to_us;  // kOpen while it lasts
    int64_t holes_us;
};
constexpr int64_t kOpen = INT64_MAX;

// The intervals of one beam that are not decided yet, oldest first.
struct Intervals {
    static constexpr size_t kCapacity = 12;  // a file of five people with both arms in sight; see DETECTOR.md
    Interval at[kCapacity];
    size_t size = 0;

    void remove_oldest(size_t count) {
        for (size_t k = count; k < size; ++k) at[k - count] = at[k];
        size -= count;
    }
};

// One thing that went into the beams and out again.
struct Passage {
    bool complete;  // through both beams, as a body would: only then do the next five mean anything
    Direction direction;
    int64_t at_us;       // when its middle was between the beams
    int32_t length_mm;   // as long as it looked; far too long where it stood still
    int32_t speed_mm_s;  // of the faster of its two steps from beam to beam
    bool steady;         // as fast at the second beam as at the first
    bool brief;          // no longer than an arm or a flicker; told of all passages
    int64_t from_us;     // both beams were clear of it before,
    int64_t to_us;       // and since
    uint8_t outer_size;  // how many intervals of each beam it took
    uint8_t inner_size;
    bool clear_after;    // both beams were clear between it and the next
};

// Whether it is as short, or as short and brief, as an arm and the beam's width: 5 to 9 cm and up to 5 cm. An arm swings,
// so the speed and the length of a brief one are less sure.
constexpr bool may_be_arm(const Passage& passage) {
    const int64_t covered_ms = passage.length_mm * int64_t{1000} / passage.speed_mm_s;
    return passage.length_mm < 150 || (passage.length_mm < 220 && covered_ms <= 125);
}

}  // namespace footfall
