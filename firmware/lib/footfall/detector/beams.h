// Levels of two pins in, crossings out: the detector's interface for the application and the host programs.
//
//     pins --> polarity, swap --> Debounce, one per beam --> Detector --> take()
//
// Times are microseconds on a clock that wraps at 2^32, such as Arduino's micros(), and are compared by unsigned
// subtraction. Call update() whenever a level changes, and at least every half hour. More calls only shorten the delay;
// the crossings are the same.
#pragma once

#include <stdint.h>

#include "detector/detector.h"
#include "detector/edge_buffer.h"

namespace footfall {

// One beam without its chatter: a level counts once it has lasted for kHold, from the moment it began.
//
//     raw       ..#.#.########.#.##......        shorter than kHold: ignored
//     debounced .....................            an edge comes out kHold late, with its own time
//                     #############..
//
// Every edge is late by the same time, so edges of two beams stay in order.
class Debounce {
   public:
    // us. An E18-D50NK responds within 2 ms (data sheet). No object is as brief as twice that.
    static constexpr int64_t kHold = 4'000;

    void start(bool interrupted);

    // The raw level since *at_us*.
    void set(bool interrupted, int64_t at_us);

    // Whether an edge is due by *now_us*. at_us() and level() describe it until accept().
    bool is_due(int64_t now_us) const { return raw_ != stable_ && now_us - since_us_ >= kHold; }
    int64_t at_us() const { return since_us_; }
    bool level() const { return raw_; }
    void accept() { stable_ = raw_; }

    bool stable() const { return stable_; }

   private:
    bool raw_ = false;
    bool stable_ = false;
    int64_t since_us_ = 0;  // when raw_ began
};

struct BeamSettings {
    uint32_t spacing_mm = 100;  // between the centres of the beams, 40 to 1000
    bool swap = false;          // true: the outer pin carries the inner beam
    bool interrupted_is_high = false;  // the E18-D50NK pulls its pin low when it sees something
};

class Beams {
   public:
    explicit Beams(const BeamSettings& settings);

    // Starts from the present levels. A beam that is interrupted is unknown: nothing counts until both are clear.
    void start(Levels levels, uint32_t now_us);

    // Both levels since *now_us*. Times must not decrease.
    void update(Levels levels, uint32_t now_us);

    // The levels have not changed until *now_us*.
    void update(uint32_t now_us);

    // Edges were lost (EdgeBuffer::lost() grew): aborts what is undecided and starts again from the present levels.
    void resume_after_loss(Levels levels, uint32_t now_us);

    // No more input: decides what is undecided. A person who stands in the beams has not passed.
    void finish(uint32_t now_us);

    // Takes the oldest crossing; false if there is none. Times never decrease. Take all crossings after each update():
    // there is room for Detector::kOutput.
    bool take(Crossing& crossing);

    // Incomplete passes and noise, since power-up.
    uint32_t aborted() const { return detector_.aborted(); }

    // Seconds for which the beam has been blocked; 0 until Detector::kBlockedAfter has passed.
    uint32_t blocked_s(Beam beam) const { return detector_.blocked_s(beam); }

    // False while a beam is blocked or unknown. Nobody is counted then, so no span may cover that time.
    bool is_counting() const { return detector_.is_counting(); }

    // The debounced level after polarity and swap, to display while the beams are aligned.
    bool is_interrupted(Beam beam) const;

   private:
    int64_t extend(uint32_t now_us);
    void settle(int64_t now_us);
    bool interrupted(Levels levels, Beam beam) const;

    BeamSettings settings_;
    Debounce outer_;
    Debounce inner_;
    Detector detector_;
    int64_t now_us_ = 0;  // time of the last update(), without the wrap
    uint32_t wrapping_us_ = 0;
};

}  // namespace footfall
