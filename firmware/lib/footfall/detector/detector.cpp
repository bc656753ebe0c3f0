#include "detector/detector.h"

#include "detector/costs.h"

namespace footfall {

namespace {

constexpr size_t index_of(Beam beam) { return static_cast<size_t>(beam); }

// Times, us.
constexpr int64_t kTwoHoles = 60'000;               // a beam clear for less is still blocked by the same cloth
constexpr int64_t kClearAgain = 500'000;            // a blocked beam clear for this long is clear
constexpr int64_t kShortestWait = 60'000;
constexpr int64_t kLongestWait = 700'000;           // a hole of 10 cm at the slowest walk
constexpr int64_t kNobodysWait = 150'000;
constexpr int64_t kNobodysLongestWait = 1'000'000;  // from beam to beam at 0.15 m/s, less the part that an arm covers
constexpr int64_t kWaitBetweenBeams = 3'000'000;    // a person may stand between beams that are far apart

// mm: the thinnest arm. It covers one beam for thickness / speed, and reaches the other after spacing / speed.
constexpr int64_t kThinnestArm = 50;

// How long after *passage* an interval that belongs to it may still come.
int64_t wait_us(const Passage& passage, uint32_t spacing_mm) {
    const bool wide = static_cast<int32_t>(spacing_mm) > kWideSpacing;
    if (!passage.complete) {
        if (wide) return kWaitBetweenBeams;
        const int64_t covered_us = passage.to_us - passage.from_us;
        return between(kNobodysWait, covered_us * spacing_mm / kThinnestArm, kNobodysLongestWait);
    }
    // If the person turned round, a piece that one beam saw may still come to the other.
    const int64_t reach_mm = passage.outer_size == passage.inner_size ? 100 : 300;
    const int64_t behind_mm = reach_mm + (wide ? static_cast<int64_t>(spacing_mm) * 3 / 2 : 0);
    return between(kShortestWait, behind_mm * 1'000'000 / passage.speed_mm_s, wide ? kWaitBetweenBeams : kLongestWait);
}

}  // namespace

Detector::Detector(uint32_t spacing_mm) : spacing_mm_(spacing_mm), judge_(spacing_mm) {}

void Detector::start(bool outer_interrupted, bool inner_interrupted, int64_t now_us) {
    interrupted_[0] = outer_interrupted;
    interrupted_[1] = inner_interrupted;
    since_us_[0] = since_us_[1] = now_us;
    now_us_ = now_us;
    counting_ = is_clear();
}

void Detector::abandon(bool outer_interrupted, bool inner_interrupted, int64_t now_us) {
    advance(now_us);
    if (intervals_[0].size + intervals_[1].size > 0) ++abandoned_;
    for (size_t beam = 0; beam < 2; ++beam) intervals_[beam].size = settled_[beam] = 0;
    decide_at_us_ = kNever;
    start(outer_interrupted, inner_interrupted, now_us_);
}

void Detector::edge(Beam beam, bool interrupted, int64_t at_us) {
    advance(at_us);
    const size_t b = index_of(beam);
    if (interrupted == interrupted_[b]) return;
    if (interrupted) {
        if (at_us - cleared_us_[b] > kTwoHoles) since_us_[b] = at_us;
        if (counting_ && !reopen(beam, at_us)) begin(beam, at_us);
    } else {
        cleared_us_[b] = at_us;
        if (counting_) intervals_[b].at[intervals_[b].size - 1].to_us = at_us;
    }
    interrupted_[b] = interrupted;
    decide_at_us_ = is_clear() ? at_us + (counting_ ? kShortestWait : kClearAgain) : kNever;
}

// Whether the last interval of each beam is a complete plain walker. Then an edge right after them is another person,
// coming the other way.
bool Detector::a_walker_just_left() const {
    if (intervals_[0].size == 0 || intervals_[1].size == 0) return false;
    const Interval& outer = intervals_[0].at[intervals_[0].size - 1];
    const Interval& inner = intervals_[1].at[intervals_[1].size - 1];
    return is_plain_walker(outer, inner, spacing_mm_);
}

// Reopens the interval that ended a moment ago. False if there is none.
bool Detector::reopen(Beam beam, int64_t at_us) {
    const size_t b = index_of(beam);
    if (intervals_[b].size == 0) return false;
    Interval& last = intervals_[b].at[intervals_[b].size - 1];
    if (at_us - last.to_us > kHole) return false;
    if (is_clear() && a_walker_just_left()) return false;
    last.holes_us += at_us - last.to_us;
    last.to_us = kOpen;
    if (settled_[b] == intervals_[b].size) --settled_[b];
    decide_at_us_ = kNever;
    return true;
}

void Detector::begin(Beam beam, int64_t at_us) {
    if (is_clear()) {
        decide_at_us_ = kNever;
        const int64_t clear_since_us = cleared_us_[0] > cleared_us_[1] ? cleared_us_[0] : cleared_us_[1];
        if (at_us - clear_since_us > kHole) {  // otherwise both beams may have lost the same cloth
            settled_[0] = intervals_[0].size;
            settled_[1] = intervals_[1].size;
        }
    }
    Intervals& own = intervals_[index_of(beam)];
    if (own.size == Intervals::kCapacity) make_room(own, settled_[index_of(beam)]);
    own.at[own.size++] = {at_us, kOpen, 0};
}

// Joins the two neighbours with the smallest hole between them. This can only lower the count.
void Detector::make_room(Intervals& own, size_t& settled) {
    size_t best = 0;
    for (size_t k = 1; k + 1 < own.size; ++k) {
        if (own.at[k + 1].from_us - own.at[k].to_us < own.at[best + 1].from_us - own.at[best].to_us) best = k;
    }
    own.at[best].holes_us += own.at[best + 1].holes_us + own.at[best + 1].from_us - own.at[best].to_us;
    own.at[best].to_us = own.at[best + 1].to_us;
    for (size_t k = best + 1; k + 1 < own.size; ++k) own.at[k] = own.at[k + 1];
    --own.size;
    if (settled > best) --settled;
}

int64_t Detector::next_deadline() const {
    if (is_clear() || !counting_) return decide_at_us_;
    int64_t since = kNever;
    for (size_t b = 0; b < 2; ++b) {
        if (interrupted_[b] && since_us_[b] < since) since = since_us_[b];
    }
    return since + kBlockedAfter;
}

void Detector::advance(int64_t now_us) {
    if (now_us < now_us_) return;
    for (int64_t due = next_deadline(); due <= now_us; due = next_deadline()) {
        now_us_ = due;
        if (!counting_) {
            counting_ = true;
            decide_at_us_ = kNever;
        } else if (is_clear()) {
            decide(due);
        } else {
            declare_blocked();
        }
    }
    now_us_ = now_us;
    release_waiting();
}

// Puts out the passage that the judge holds back, unless an undecided interval may be its neighbour.
void Detector::release_waiting() {
    int64_t sure_us = now_us_;
    for (const Intervals& own : intervals_) {
        if (own.size > 0 && own.at[0].from_us < sure_us) sure_us = own.at[0].from_us;
    }
    Verdict verdict;
    if (judge_.release(sure_us, verdict)) put(verdict);
}

// Both beams are clear: decides every passage that no later edge can change, up to the last gap in both beams.
void Detector::decide(int64_t now_us) {
    explanation_.find(intervals_[0], intervals_[1], spacing_mm_);
    size_t sure = 0;
    int64_t next = kNever;
    for (size_t k = 0; k < explanation_.size() && next == kNever; ++k) {
        const int64_t until = explanation_[k].to_us + wait_us(explanation_[k], spacing_mm_);
        if (until > now_us) {
            next = until;
        } else if (explanation_[k].clear_after) {
            sure = k + 1;
        }
    }
    decide_at_us_ = next;
    hand_to_judge(sure);
}

void Detector::hand_to_judge(size_t count) {
    size_t taken[2] = {0, 0};
    for (size_t k = 0; k < count; ++k) {
        const Passage& passage = explanation_[k];
        taken[0] += passage.outer_size;
        taken[1] += passage.inner_size;
        Verdict verdicts[2];
        const size_t size = judge_.take(passage, verdicts);
        for (size_t v = 0; v < size; ++v) put(verdicts[v]);
    }
    for (size_t b = 0; b < 2; ++b) {
        intervals_[b].remove_oldest(taken[b]);
        settled_[b] -= taken[b] < settled_[b] ? taken[b] : settled_[b];
    }
}

// The thing in the beams stays there. Decides what came before it; the rest is nobody.
void Detector::declare_blocked() {
    intervals_[0].size = settled_[0];
    intervals_[1].size = settled_[1];
    explanation_.find(intervals_[0], intervals_[1], spacing_mm_);
    hand_to_judge(explanation_.size());
    ++abandoned_;
    counting_ = false;
    decide_at_us_ = kNever;
}

void Detector::finish() {
    if (counting_ && !is_clear()) {
        declare_blocked();
    } else {
        explanation_.find(intervals_[0], intervals_[1], spacing_mm_);
        hand_to_judge(explanation_.size());
        decide_at_us_ = kNever;
    }
    Verdict verdict;
    if (judge_.release(kNever, verdict)) put(verdict);
}

void Detector::put(const Verdict& verdict) {
    if (output_size_ == kOutput) return;  // cannot happen: the caller takes all crossings after every update
    Verdict& last = output_[(output_head_ + output_size_) % kOutput];
    last = verdict;
    if (last.at_us < last_us_) last.at_us = last_us_;
    last_us_ = last.at_us;
    ++output_size_;
}

bool Detector::take(Direction& direction, int64_t& at_us) {
    if (output_size_ == 0) return false;
    direction = output_[output_head_].direction;
    at_us = output_[output_head_].at_us;
    output_head_ = (output_head_ + 1) % kOutput;
    --output_size_;
    return true;
}

uint32_t Detector::blocked_s(Beam beam) const {
    const size_t b = index_of(beam);
    if (!interrupted_[b] || now_us_ - since_us_[b] < kBlockedAfter) return 0;
    const int64_t seconds = (now_us_ - since_us_[b]) / 1'000'000;
    return static_cast<uint32_t>(seconds);
}

}  // namespace footfall
