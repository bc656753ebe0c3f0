#include "detector/crossing_source.h"

namespace footfall {

namespace {

// The buffer rounds times down to 4 us, so an edge pushed after now_us was read may look older than now_us.
constexpr uint32_t kGrainUs = 4;

uint32_t later_of(uint32_t left_us, uint32_t right_us) {
    return static_cast<int32_t>(left_us - right_us) > 0 ? left_us : right_us;
}

}  // namespace

void CrossingSource::start(Levels levels, uint32_t now_us) {
    now_ms_ = clock_.from_micros(now_us);
    last_us_ = now_us;
    lost_ = edges_.lost();
    beams_.start(levels, now_us);
    was_counting_ = beams_.is_counting();
    until_ms_ = since_ms_ = stopped_ms_ = busy_ms_ = settled_ms_ = now_ms_;
}

void CrossingSource::pump(Levels levels, uint32_t now_us) {
    take_edges();
    const bool lost = edges_.lost() != lost_ && edges_.size() == 0;
    if (edges_.size() == 0) {
        last_us_ = later_of(last_us_, now_us - kGrainUs);
    }  // otherwise older edges still wait, and time stops at the last edge taken
    now_ms_ = clock_.from_micros(last_us_);
    if (lost) {
        lost_ = edges_.lost();
        beams_.resume_after_loss(levels, last_us_);
    }
    beams_.update(last_us_);
    collect();
    note_counting(lost);
    note_settled();
}

void CrossingSource::take_edges() {
    Edge edge;
    while (size_ + Detector::kOutput <= kWaiting && edges_.pop(edge)) {
        last_us_ = later_of(last_us_, edge.at_us);  // an edge may look older by the grain
        now_ms_ = clock_.from_micros(last_us_);
        beams_.update(edge.levels, last_us_);
        collect();
    }
}

void CrossingSource::collect() {
    Crossing crossing;
    while (size_ < kWaiting && beams_.take(crossing)) {
        waiting_[(head_ + size_++) % kWaiting] = {crossing.direction, clock_.of_earlier(crossing.at_us)};
    }
}

bool CrossingSource::take(DetectedCrossing& crossing) {
    if (size_ == 0) {
        return false;
    }
    crossing = waiting_[head_];
    head_ = (head_ + 1) % kWaiting;
    --size_;
    return true;
}

void CrossingSource::note_counting(bool lost) {
    const bool counting = beams_.is_counting();
    if (was_counting_ && (lost || !counting)) {
        stopped_ms_ = now_ms_;
        until_ms_ = settled_ms_;
        first_until_ms_ = has_unreported_break_ ? first_until_ms_ : until_ms_;
        has_unreported_break_ = true;
    }
    if (counting && (lost || !was_counting_)) {
        ++breaks_;
        since_ms_ = now_ms_;
        settled_ms_ = now_ms_;
        busy_ms_ = now_ms_;
    }
    was_counting_ = counting;
}

void CrossingSource::note_settled() {
    if (beams_.is_interrupted(Beam::kOuter) || beams_.is_interrupted(Beam::kInner)) {
        busy_ms_ = now_ms_;
    }
    if (!was_counting_) {
        return;
    }
    const int64_t lagging_ms = now_ms_ - kLongestFileMs;
    const int64_t settled_ms = now_ms_ - busy_ms_ >= kQuietMs ? now_ms_ : lagging_ms;
    settled_ms_ = settled_ms > settled_ms_ ? settled_ms : settled_ms_;
}

}  // namespace footfall
