// Debounced edges in, crossings out. This class keeps time and order; README.md explains the algorithm.
//
//     edges --> intervals of each beam --> Explanation: who passed? --> Judge: arms, prams --> take()
//
// The detector decides an interval once both beams are clear and no later interval can belong to it: 60 ms to 0.7 s
// after a person has left the beams, up to 2 s after something as long as a pram, up to 3 s at wide spacing. A beam
// interrupted for kBlockedAfter is blocked: the detector aborts what is undecided and counts nothing until both beams
// are clear. All times are microseconds on a clock that never wraps.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "detector/explanation.h"
#include "detector/judge.h"

namespace footfall {

// A crossing on the clock that Beams::update() is given.
struct Crossing {
    Direction direction;
    uint32_t at_us;  // when the person was centred between the beams
};

class Detector {
   public:
    static constexpr size_t kOutput = 32;  // crossings that can wait for take(); one update() makes fewer
    // The slowest walker to be counted, at 0.15 m/s, needs 3 s, and less than this even with two stops of 5 s.
    static constexpr int64_t kBlockedAfter = 15'000'000;

    // Holes up to this long are filled at once: the sensor loses dark clothes for up to 30 ms. People in file leave 15
    // cm, of which the beam's width takes up to 5. That is 32 ms at 3 m/s, and nobody runs that close behind another.
    static constexpr int64_t kHole = 32'000;

    explicit Detector(uint32_t spacing_mm);

    void start(bool outer_interrupted, bool inner_interrupted, int64_t now_us);
    // Aborts what is undecided and starts again from these levels.
    void abandon(bool outer_interrupted, bool inner_interrupted, int64_t now_us);

    // *beam* became interrupted or clear at *at_us*. Times must not decrease.
    void edge(Beam beam, bool interrupted, int64_t at_us);
    // No edge came before *now_us*.
    void advance(int64_t now_us);
    // No more edges will come: decides what is undecided.
    void finish();

    bool take(Direction& direction, int64_t& at_us);

    uint32_t aborted() const { return judge_.aborted() + abandoned_; }
    uint32_t blocked_s(Beam beam) const;
    bool is_counting() const { return counting_; }

   private:
    static constexpr int64_t kNever = INT64_MAX;

    bool is_clear() const { return !interrupted_[0] && !interrupted_[1]; }
    void begin(Beam beam, int64_t at_us);
    bool reopen(Beam beam, int64_t at_us);
    bool a_walker_just_left() const;
    static void make_room(Intervals& own, size_t& settled);
    int64_t next_deadline() const;
    void decide(int64_t now_us);
    void declare_blocked();
    void hand_to_judge(size_t count);
    void release_waiting();
    void put(const Verdict& verdict);

    uint32_t spacing_mm_;
    Intervals intervals_[2];  // by Beam: the undecided ones
    Explanation explanation_;
    Judge judge_;
    bool interrupted_[2] = {false, false};
    int64_t since_us_[2] = {0, 0};  // start of the current interruption, short holes ignored
    int64_t cleared_us_[2] = {INT64_MIN / 2, INT64_MIN / 2};
    bool counting_ = false;  // false while a beam is blocked or unknown
    int64_t now_us_ = 0;
    int64_t decide_at_us_ = kNever;
    size_t settled_[2] = {0, 0};  // intervals before the pass in progress; both beams were clear in between
    uint32_t abandoned_ = 0;      // passes cut short by a blocked beam or by lost edges
    int64_t last_us_ = INT64_MIN;  // time of the last crossing put out
    Verdict output_[kOutput] = {};
    size_t output_head_ = 0;
    size_t output_size_ = 0;
};

}  // namespace footfall
