// Feeds random edges to the detector and stops at the first violation.
//
//     fuzz_edges COUNT [SEED]
//
// Edges come in scenes: chatter, walks or minutes of leaning on either beam, then 4 s of quiet and one clean walker.
// Two detectors receive the same edges. One of them also receives ticks at random moments, and both sometimes lose
// edges. The program checks:
//   - Both report the same crossings, in the order of their times, none in the future.
//   - There are never more crossings than completed interruptions of the beam that has fewer, chatter included.
//   - After the quiet nothing is pending, and the clean walker counts once, with the right direction and time.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "detector/beams.h"

namespace {

using footfall::Beams;
using footfall::BeamSettings;
using footfall::Crossing;
using footfall::Direction;
using footfall::Levels;

constexpr Levels kClear = {false, false};

// xorshift64*, so that a seed gives the same edges on every machine.
class Chance {
   public:
    explicit Chance(uint64_t seed) : state_(seed * 2685821657736338717U + 88172645463325252U) {}

    uint32_t below(uint32_t limit) {
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return static_cast<uint32_t>(((state_ * 2685821657736338717U) >> 33) % limit);
    }

   private:
    uint64_t state_;
};

double monotonic_s() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

[[noreturn]] void fail(const char* what, uint64_t edges) {
    fprintf(stderr, "fuzz_edges: after %" PRIu64 " edges: %s\n", edges, what);
    exit(1);
}

class Pair {
   public:
    Pair(const BeamSettings& settings, uint32_t now_us) : plain_(settings), ticking_(settings), now_us_(now_us) {
        plain_.start(kClear, now_us);
        ticking_.start(kClear, now_us);
    }

    void wait(uint32_t us, Chance& chance) {
        for (uint32_t left = us; left > 0 && chance.below(4) == 0;) {
            const uint32_t step = 1 + chance.below(left);
            ticking_.update(now_us_ + (us - left) + step);
            left -= step;
        }
        now_us_ += us;
        take();
    }

    void set(Levels levels) {
        if (levels_.outer && !levels.outer) ++outer_intervals_;
        if (levels_.inner && !levels.inner) ++inner_intervals_;
        if (levels.outer != levels_.outer || levels.inner != levels_.inner) ++edges_;
        levels_ = levels;
        plain_.update(levels, now_us_);
        ticking_.update(levels, now_us_);
        take();
    }

    void lose() {
        plain_.resume_after_loss(levels_, now_us_);
        ticking_.resume_after_loss(levels_, now_us_);
        take();
    }

    void tick() {
        plain_.update(now_us_);
        ticking_.update(now_us_);
        take();
    }

    void check_quiet() {
        if (plain_crossings_ != ticking_crossings_ || plain_sum_ != ticking_sum_) {
            fail("ticks change what is counted", edges_);
        }
        if (plain_.aborted() != ticking_.aborted()) fail("ticks change what is aborted", edges_);
        if (!plain_.is_counting()) fail("it stopped counting", edges_);
        const uint64_t fewer = outer_intervals_ < inner_intervals_ ? outer_intervals_ : inner_intervals_;
        if (plain_crossings_ > fewer) fail("more crossings than interruptions", edges_);
    }

    Levels levels() const { return levels_; }
    uint32_t now_us() const { return now_us_; }
    uint64_t edges() const { return edges_; }
    uint64_t crossings() const { return plain_crossings_; }
    const Crossing& last() const { return last_; }

   private:
    void take() {
        Crossing crossing = {};
        while (plain_.take(crossing)) {
            check_time(crossing);
            last_ = crossing;
            ++plain_crossings_;
            plain_sum_ = plain_sum_ * 31 + crossing.at_us + static_cast<uint64_t>(crossing.direction);
        }
        while (ticking_.take(crossing)) {
            ++ticking_crossings_;
            ticking_sum_ = ticking_sum_ * 31 + crossing.at_us + static_cast<uint64_t>(crossing.direction);
        }
    }

    void check_time(const Crossing& crossing) {
        if (static_cast<int32_t>(now_us_ - crossing.at_us) < 0) fail("a crossing in the future", edges_);
        const bool is_first = plain_crossings_ == 0;
        if (!is_first && static_cast<int32_t>(crossing.at_us - last_.at_us) < 0) fail("times go back", edges_);
    }

    Beams plain_;
    Beams ticking_;
    uint32_t now_us_;
    Levels levels_ = kClear;
    uint64_t edges_ = 0;
    uint64_t outer_intervals_ = 0;
    uint64_t inner_intervals_ = 0;
    uint64_t plain_crossings_ = 0;
    uint64_t ticking_crossings_ = 0;
    uint64_t plain_sum_ = 0;
    uint64_t ticking_sum_ = 0;
    Crossing last_ = {};
};

// The time to the next edge, from chatter to minutes, depending on the scene.
uint32_t pause_us(Chance& chance, uint32_t scene) {
    switch (scene) {
        case 0: return chance.below(8'000);
        case 1: return 4'000 + chance.below(60'000);
        case 2: return 20'000 + chance.below(400'000);
        case 3: return chance.below(10) == 0 ? chance.below(15'000'000) : chance.below(300'000);
        default: return chance.below(1U << (8 + chance.below(15)));
    }
}

void play_scene(Pair& pair, Chance& chance) {
    const uint32_t scene = chance.below(5);
    const uint32_t length = 1 + chance.below(60);
    for (uint32_t k = 0; k < length; ++k) {
        pair.wait(pause_us(chance, scene), chance);
        Levels levels = pair.levels();
        const uint32_t which = chance.below(9);
        if (which < 5) levels.outer = !levels.outer;
        if (which > 3) levels.inner = !levels.inner;
        pair.set(levels);
        if (chance.below(2000) == 0) pair.lose();
    }
    pair.wait(5'000 + chance.below(20'000), chance);
    pair.set(kClear);
}

void check_walker(Pair& pair, Chance& chance, uint32_t spacing_mm) {
    const uint32_t speed_mm_s = 300 + chance.below(1700);
    const uint32_t lag_us = spacing_mm * 1'000'000U / speed_mm_s;
    const uint32_t body_us = (200 + chance.below(150)) * 1'000'000U / speed_mm_s;
    const bool entry = chance.below(2) == 0;
    const uint32_t first = pair.now_us();
    const uint64_t before = pair.crossings();
    const uint32_t second_us = lag_us < body_us ? lag_us : body_us;
    const uint32_t third_us = lag_us < body_us ? body_us : lag_us;
    const uint32_t edges_us[] = {0, second_us, third_us, lag_us + body_us};
    for (const uint32_t at_us : edges_us) {
        pair.wait(first + at_us - pair.now_us(), chance);
        const bool leading = at_us < body_us;
        const bool trailing = at_us >= lag_us && at_us < lag_us + body_us;
        pair.set(entry ? Levels{leading, trailing} : Levels{trailing, leading});
    }
    pair.wait(4'000'000, chance);
    pair.tick();
    if (pair.crossings() != before + 1) fail("a clean walker is not counted once", pair.edges());
    if ((pair.last().direction == Direction::kEntry) != entry) fail("a clean walker goes the wrong way", pair.edges());
    const auto off_us = static_cast<int32_t>(pair.last().at_us - (first + (lag_us + body_us) / 2));
    if (off_us > 2'000 || off_us < -2'000) fail("a clean walker has the wrong time", pair.edges());
}

}  // namespace

int main(int count, char** words) {
    if (count < 2 || count > 3) {
        fprintf(stderr, "Usage: fuzz_edges COUNT [SEED]\n");
        return 2;
    }
    const uint64_t wanted = strtoull(words[1], nullptr, 10);
    Chance chance(count == 3 ? strtoull(words[2], nullptr, 10) : 1);
    const double started_s = monotonic_s();
    uint64_t edges = 0;
    uint64_t crossings = 0;
    while (edges < wanted) {
        BeamSettings settings;
        settings.interrupted_is_high = true;
        constexpr uint32_t kSpacings[] = {60, 100, 100, 100, 200, 400};
        settings.spacing_mm = kSpacings[chance.below(6)];
        Pair pair(settings, chance.below(UINT32_MAX));
        while (pair.edges() < 100'000 && edges + pair.edges() < wanted) {
            play_scene(pair, chance);
            pair.wait(4'000'000, chance);
            pair.tick();
            pair.check_quiet();
            check_walker(pair, chance, settings.spacing_mm);
        }
        edges += pair.edges();
        crossings += pair.crossings();
    }
    printf("%" PRIu64 " edges, %" PRIu64 " crossings, %.0f s: no violations\n", edges, crossings,
           monotonic_s() - started_s);
    return 0;
}
