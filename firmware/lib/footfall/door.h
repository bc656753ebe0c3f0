// Between the interrupt and the queue: edges to crossings with their time, and what may be claimed about the time between.
//
//     interrupt --> EdgeBuffer --> pump() --> Beams --> waiting crossings (RAM) --> take() --> the queue (flash)
//
// pump() touches neither flash nor network, so it may run from a hook while a request is under way; take() belongs to the
// loop. Where the loop is away for so long that kWaiting crossings wait, pump() leaves edges in their buffer, and if that
// fills, the buffer counts what it lost: one place where anything can be lost, and it is known.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "beams.h"
#include "clock.h"

namespace footfall {

// Someone passed: which way, and when on the counter's own clock.
struct Passed {
    Direction direction;
    int64_t at_ms;
};

class Door {
   public:
    static constexpr size_t kWaiting = 64;
    // When both beams have been clear for so long, everybody who passed has come out (detector.h: at most 3 s).
    static constexpr int64_t kQuietMs = 5'000;
    // A file of people without a gap is decided at its end; it is not longer than this.
    static constexpr int64_t kLongestFileMs = 60'000;

    Door(EdgeBuffer& edges, const BeamSettings& settings) : edges_(edges), beams_(settings) {}

    // Begins with the levels of now, read at *now_us*, which is micros().
    void start(Levels levels, uint32_t now_us);

    // Takes what the interrupt recorded. *now_us*: micros(), read before the call; *levels*: of now. At least once in
    // half an hour. An edge may come in meanwhile.
    void pump(Levels levels, uint32_t now_us);

    // Gives the oldest crossing, false where there is none.
    bool take(Passed& passed);

    // The counter's own clock: ms since the board started, which never steps or wraps.
    int64_t now_ms() const { return now_ms_; }

    // Every crossing before this instant has come out of take(), if take() is called until it gives none. It stands
    // still while nobody can be counted.
    int64_t settled_ms() const { return settled_ms_; }

    // False while a beam is blocked, or was blocked when counting began: nobody can be counted then.
    bool is_counting() const { return beams_.is_counting(); }

    // Grows when counting went on after it had stopped or after edges were lost. No span may reach across that: up to
    // counted_until_ms() everybody was counted, from counting_since_ms() on they are again.
    uint32_t breaks() const { return breaks_; }
    int64_t counted_until_ms() const { return is_untold_ ? first_until_ms_ : until_ms_; }
    int64_t counting_since_ms() const { return since_ms_; }

    // The queue was told up to breaks(). Of several that came meanwhile, the first one's end of counting is kept until then.
    void note_told() { is_untold_ = false; }

    // For how long nobody could be counted, up to now; 0 while counting.
    int64_t uncounted_ms() const { return is_counting() ? 0 : now_ms_ - stopped_ms_; }

    uint32_t aborted() const { return beams_.aborted(); }
    uint32_t blocked_s(Beam beam) const { return beams_.blocked_s(beam); }
    bool is_interrupted(Beam beam) const { return beams_.is_interrupted(beam); }
    uint32_t lost_edges() const { return edges_.lost(); }

   private:
    void take_edges();
    void collect();
    void note_counting(bool lost);
    void note_settled();

    EdgeBuffer& edges_;
    Beams beams_;
    MonotonicMs clock_;
    Passed waiting_[kWaiting] = {};
    size_t head_ = 0;
    size_t size_ = 0;
    uint32_t lost_ = 0;
    uint32_t last_us_ = 0;
    int64_t now_ms_ = 0;
    int64_t busy_ms_ = 0;  // when a beam was last interrupted
    int64_t settled_ms_ = 0;
    bool was_counting_ = false;
    uint32_t breaks_ = 0;
    bool is_untold_ = false;  // counting stopped since note_told()
    int64_t first_until_ms_ = 0;
    int64_t until_ms_ = 0;
    int64_t since_ms_ = 0;
    int64_t stopped_ms_ = 0;
};

}  // namespace footfall
