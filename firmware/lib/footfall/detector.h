// Debounced edges in, crossings out. DETECTOR.md tells how and why; this is the part that keeps time and order.
//
//     edges --> intervals, per beam --> explain(): who passed? (explain.h) --> Judge: arms, prams (judge.h) --> take()
//
// An interval is decided when both beams are clear and nothing that comes can still belong to it: 60 ms to 0.7 s after a
// person has left the beams, up to 2 s after something as long as a pram, and at wide spacing up to 3 s. A beam that is
// interrupted for kBlockedAfter is blocked: what was undecided is aborted, and nothing counts until both beams are clear.
// All times are microseconds of a clock that never wraps.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "detector_explain.h"
#include "detector_judge.h"
#include "passage.h"

namespace footfall {

// A crossing as the application sees it.
struct Crossing {
    Direction direction;
    uint32_t at_us;  // when the person was centred between the beams, on the clock that update() was given
};

class Detector {
   public:
    static constexpr size_t kOutput = 32;  // crossings that wait to be taken; one update() gives fewer
    // The slowest walker who is to be counted, 0.15 m/s, needs 3 s; with two stops of 5 s still less than this.
    static constexpr int64_t kBlockedAfter = 15'000'000;

    // A hole in an interval that is no longer is filled at once. People in file leave 15 cm, of which the beams' width
    // takes up to 5: that is 32 ms at 3 m/s, and nobody runs that close behind another. Dark clothes are lost for
    // up to 30 ms.
    static constexpr int64_t kHole = 32'000;

    explicit Detector(uint32_t spacing_mm);

    void start(bool outer_interrupted, bool inner_interrupted, int64_t now_us);
    void abandon(bool outer_interrupted, bool inner_interrupted, int64_t now_us);

    // *beam* became interrupted or clear at *at_us*. Times must not go back.
    void edge(Beam beam, bool interrupted, int64_t at_us);
    // No edge came until *now_us*.
    void advance(int64_t now_us);
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
    void tell(size_t count);
    void release_waiting();
    void put(const Verdict& verdict);

    uint32_t spacing_mm_;
    Intervals intervals_[2];  // by Beam: all that is undecided, oldest first
    Explanation explanation_;
    Judge judge_;
    bool interrupted_[2] = {false, false};
    int64_t since_us_[2] = {0, 0};  // when the beam was interrupted, short holes passed over
    int64_t cleared_us_[2] = {INT64_MIN / 2, INT64_MIN / 2};
    bool counting_ = false;  // false from a blocked or unknown beam until both are clear
    int64_t now_us_ = 0;
    int64_t decide_at_us_ = kNever;
    size_t settled_[2] = {0, 0};  // intervals before the pass in progress, before which both beams were clear for a while
    uint32_t abandoned_ = 0;  // passes cut short by a blocked beam or by lost edges
    int64_t told_us_ = INT64_MIN;  // the latest time put out
    Verdict output_[kOutput] = {};
    size_t output_head_ = 0;
    size_t output_size_ = 0;
};

}  // namespace footfall
