// Levels of two pins in, crossings out: what the application and the host programs use.
//
//     pins --> polarity, swap --> Debounce, one per beam --> Detector --> take()
//
// Times are microseconds of one clock that wraps at 2^32 (Arduino's micros()); they are compared by unsigned subtraction.
// Call update() whenever a level changes and at least every half hour besides; more often only lowers the delay.
// What comes out does not depend on how often it is called.
#pragma once

#include <stdint.h>

#include "debounce.h"
#include "detector.h"
#include "edge_buffer.h"

namespace footfall {

struct BeamSettings {
    uint32_t spacing_mm = 100;  // between the beams' middles, 40 to 1000
    bool swap = false;          // true: the pin called outer is on the inside
    bool interrupted_is_high = false;  // the E18-D50NK pulls its pin low when it sees something
};

class Beams {
   public:
    explicit Beams(const BeamSettings& settings);

    // Starts from the levels of now: a beam that is interrupted is unknown, and nothing counts until both are clear.
    void start(Levels levels, uint32_t now_us);

    // Both levels as they are since *now_us*. Call it in the order of time.
    void update(Levels levels, uint32_t now_us);

    // Time went on, nothing changed.
    void update(uint32_t now_us);

    // Edges are missing (EdgeBuffer::lost() grew): what is undecided is aborted, and counting starts afresh.
    void resume_after_loss(Levels levels, uint32_t now_us);

    // No more input: decides what is pending. Whoever stands in the beams has not passed.
    void finish(uint32_t now_us);

    // Gives the oldest crossing not yet taken, false where there is none; in the order of their times. Take them all
    // after each update(): there is room for Detector::kOutput.
    bool take(Crossing& crossing);

    // Passes that began and were not completed, and noise, since the start.
    uint32_t aborted() const { return detector_.aborted(); }

    // How long the beam has been blocked until now, seconds; 0 while it is not, or for less than kBlockedAfter.
    uint32_t blocked_s(Beam beam) const { return detector_.blocked_s(beam); }

    // False while a beam is blocked or unknown: nobody can be counted then, and no span should claim that anybody was.
    bool is_counting() const { return detector_.is_counting(); }

    // The levels as they are after polarity and swap: for a display while the beams are aligned.
    bool is_interrupted(Beam beam) const;

   private:
    int64_t extend(uint32_t now_us);
    void settle(int64_t now_us);
    bool interrupted(Levels levels, Beam beam) const;

    BeamSettings settings_;
    Debounce outer_;
    Debounce inner_;
    Detector detector_;
    int64_t now_us_ = 0;  // what update() was told last, without the wrap
    uint32_t wrapping_us_ = 0;
};

}  // namespace footfall
