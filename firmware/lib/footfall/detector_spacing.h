// What follows from how far the beams are apart.
#pragma once

#include <stdint.h>

namespace footfall {

// Speeds, mm/s. Where an edge may be some milliseconds off, people seem faster than they are.
constexpr int32_t kFastest = 7000;          // over both steps from beam to beam: 4 m/s and jitter in each edge
constexpr int32_t kFastestStep = 8000;      // in one of them
constexpr int32_t kFastestBody = 14000;     // over both steps of what covers a beam as long as a runner with arms does
constexpr int32_t kFastestBriefStep = 14000;  // in one of them, of what covers a beam as short as a runner does
constexpr int32_t kFastestStop = 2200;      // over both steps: who stops within a body's length was no faster
constexpr int32_t kFastestStopStep = 4000;  // in one of them, with an arm ahead
constexpr int32_t kFastestArm = 2000;       // a step that looks faster than this, and than the other, was an arm's
constexpr int32_t kSlowestRun = 1600;       // in one of them
constexpr int32_t kSlowestArm = 100;        // over both steps: slower than the slowest walk

constexpr int32_t kWideSpacing = 150;  // mm: beyond it, a body may stand between the beams unseen

// Speeds as the times they take from beam to beam, us: the ESP8266 divides slowly, so it is done once for all groups.
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
    int32_t step_us;          // one step, at least
    int32_t stop_step_us;     // the same of who stopped
    int32_t brief_step_us;    // the same of what is as brief as a runner
    int32_t run_step_us;      // one step of who runs, at most
    int32_t arm_step_us;      // one step of an arm, at least
    int32_t slowest_arm_us;   // the same, at most
    int32_t fastest_us;       // both steps, at least
    int32_t fastest_body_us;  // the same of who covers a beam long enough
    int32_t stop_us;          // the same of who stopped
    bool is_wide;

   private:
    constexpr int32_t both_steps_us(int32_t speed_mm_s) const {  // rounded up: whoever is as fast may be
        return static_cast<int32_t>((int64_t{2} * way + speed_mm_s - 1) / speed_mm_s);
    }
};

}  // namespace footfall
