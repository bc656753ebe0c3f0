#include "detector/beams.h"

namespace footfall {

void Debounce::start(bool interrupted) {
    raw_ = interrupted;
    stable_ = interrupted;
}

void Debounce::set(bool interrupted, int64_t at_us) {
    if (interrupted != raw_) {
        raw_ = interrupted;
        since_us_ = at_us;
    }
}

Beams::Beams(const BeamSettings& settings) : settings_(settings), detector_(settings.spacing_mm) {}

bool Beams::interrupted(Levels levels, Beam beam) const {
    const bool outer = (beam == Beam::kOuter) != settings_.swap;
    return (outer ? levels.outer : levels.inner) == settings_.interrupted_is_high;
}

// Returns *now_us* without the wrap; 0 is the time of the first start().
int64_t Beams::extend(uint32_t now_us) {
    now_us_ += static_cast<uint32_t>(now_us - wrapping_us_);
    wrapping_us_ = now_us;
    return now_us_;
}

void Beams::start(Levels levels, uint32_t now_us) {
    wrapping_us_ = now_us;
    outer_.start(interrupted(levels, Beam::kOuter));
    inner_.start(interrupted(levels, Beam::kInner));
    detector_.start(outer_.stable(), inner_.stable(), now_us_);
}

void Beams::resume_after_loss(Levels levels, uint32_t now_us) {
    const int64_t now = extend(now_us);
    outer_.start(interrupted(levels, Beam::kOuter));
    inner_.start(interrupted(levels, Beam::kInner));
    detector_.abandon(outer_.stable(), inner_.stable(), now);
}

void Beams::update(Levels levels, uint32_t now_us) {
    const int64_t now = extend(now_us);
    settle(now);
    outer_.set(interrupted(levels, Beam::kOuter), now);
    inner_.set(interrupted(levels, Beam::kInner), now);
}

void Beams::update(uint32_t now_us) { settle(extend(now_us)); }

// Hands the detector every edge that is due, the earlier one first.
void Beams::settle(int64_t now_us) {
    for (;;) {
        const bool outer_due = outer_.is_due(now_us);
        const bool inner_due = inner_.is_due(now_us);
        if (!outer_due && !inner_due) {
            break;
        }
        const bool outer_first = outer_due && (!inner_due || outer_.at_us() <= inner_.at_us());
        Debounce& beam = outer_first ? outer_ : inner_;
        detector_.edge(outer_first ? Beam::kOuter : Beam::kInner, beam.level(), beam.at_us());
        beam.accept();
    }
    detector_.advance(now_us - Debounce::kHold);  // an edge since then may still be pending
}

void Beams::finish(uint32_t now_us) {
    settle(extend(now_us) + Debounce::kHold);
    detector_.finish();
}

bool Beams::take(Crossing& crossing) {
    int64_t at_us = 0;
    if (!detector_.take(crossing.direction, at_us)) {
        return false;
    }
    crossing.at_us = wrapping_us_ - static_cast<uint32_t>(now_us_ - at_us);
    return true;
}

bool Beams::is_interrupted(Beam beam) const { return (beam == Beam::kOuter ? outer_ : inner_).stable(); }

}  // namespace footfall
