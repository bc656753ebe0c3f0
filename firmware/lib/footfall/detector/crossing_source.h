// From the interrupt to the queue: edges in, crossings with their time out, and which time was counted completely.
//
//     interrupt --> EdgeBuffer --> pump() --> Beams --> waiting crossings (RAM) --> take() --> the queue (flash)
//
// pump() touches neither flash nor network, so it may run from a hook during a request; only the loop calls take(). If
// the loop is away until kWaiting crossings wait, pump() leaves further edges in their buffer. If that fills too, the
// buffer counts the lost edges. Nothing else can lose an edge or a crossing on this way.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "detector/beams.h"
#include "time/clock.h"

namespace footfall {

// A crossing on the counter's own clock.
struct DetectedCrossing {
    Direction direction;
    int64_t at_ms;
};

class CrossingSource {
   public:
    static constexpr size_t kWaiting = 64;
    // Once both beams have been clear for this long, the detector has decided everything; it needs at most 3 s.
    static constexpr int64_t kQuietMs = 5'000;
    // A file of people without a gap is decided when it ends. It is assumed to end within this time.
    static constexpr int64_t kLongestFileMs = 60'000;

    CrossingSource(EdgeBuffer& edges, const BeamSettings& settings) : edges_(edges), beams_(settings) {}

    // Starts from the present levels, read at *now_us* (micros()).
    void start(Levels levels, uint32_t now_us);

    // Processes the recorded edges. *now_us*: micros(), read before the call; *levels*: the present ones. Call it at
    // least every half hour. The interrupt may push edges meanwhile.
    void pump(Levels levels, uint32_t now_us);

    // Takes the oldest crossing; false if there is none.
    bool take(DetectedCrossing& crossing);

    // The counter's own clock: ms since power-up. It never steps or wraps.
    int64_t now_ms() const { return now_ms_; }

    // Every crossing before this instant has come out, once take() returns false. Stands still while counting stops.
    int64_t settled_ms() const { return settled_ms_; }

    // False while a beam is blocked or unknown: nobody is counted then.
    bool is_counting() const { return beams_.is_counting(); }

    // Breaks in counting that are over, after a blocked beam or lost edges. No span may cover a break: everybody was
    // counted before counted_until_ms(), and is counted again from counting_since_ms() on.
    uint32_t breaks() const { return breaks_; }
    int64_t counted_until_ms() const { return has_unreported_break_ ? first_until_ms_ : until_ms_; }
    int64_t counting_since_ms() const { return since_ms_; }

    // The queue knows of all breaks(). Until this call, counted_until_ms() stays at the start of the first unreported
    // one.
    void note_breaks_reported() { has_unreported_break_ = false; }

    // How long counting has been stopped; 0 while it goes on.
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
    DetectedCrossing waiting_[kWaiting] = {};
    size_t head_ = 0;
    size_t size_ = 0;
    uint32_t lost_ = 0;
    uint32_t last_us_ = 0;
    int64_t now_ms_ = 0;
    int64_t busy_ms_ = 0;  // when a beam was last interrupted
    int64_t settled_ms_ = 0;
    bool was_counting_ = false;
    uint32_t breaks_ = 0;
    bool has_unreported_break_ = false;
    int64_t first_until_ms_ = 0;
    int64_t until_ms_ = 0;
    int64_t since_ms_ = 0;
    int64_t stopped_ms_ = 0;
};

}  // namespace footfall
