// The detector, the debouncing and the edge buffer for ctypes. This file allocates the handles; the core has no heap.
#include <stdint.h>

#include <new>

#include "detector/beams.h"
#include "detector/edge_buffer.h"

using footfall::Beam;
using footfall::Beams;
using footfall::BeamSettings;
using footfall::Crossing;
using footfall::Debounce;
using footfall::Edge;
using footfall::EdgeBuffer;

extern "C" {

Beams* beams_new(uint32_t spacing_mm, bool swap, bool interrupted_is_high) {
    BeamSettings settings;
    settings.spacing_mm = spacing_mm;
    settings.swap = swap;
    settings.interrupted_is_high = interrupted_is_high;
    return new (std::nothrow) Beams(settings);
}
void beams_free(Beams* beams) { delete beams; }
void beams_start(Beams* beams, bool outer, bool inner, uint32_t now_us) { beams->start({outer, inner}, now_us); }
void beams_update(Beams* beams, bool outer, bool inner, uint32_t now_us) { beams->update({outer, inner}, now_us); }
void beams_tick(Beams* beams, uint32_t now_us) { beams->update(now_us); }
void beams_lose(Beams* beams, bool outer, bool inner, uint32_t now_us) {
    beams->resume_after_loss({outer, inner}, now_us);
}
void beams_finish(Beams* beams, uint32_t now_us) { beams->finish(now_us); }
// Returns +1 or -1, or 0 if there is no crossing.
int32_t beams_take(Beams* beams, uint32_t* at_us) {
    Crossing crossing = {};
    if (!beams->take(crossing)) return 0;
    *at_us = crossing.at_us;
    return static_cast<int32_t>(crossing.direction);
}
uint32_t beams_aborted(const Beams* beams) { return beams->aborted(); }
uint32_t beams_blocked_s(const Beams* beams, bool inner) {
    return beams->blocked_s(inner ? Beam::kInner : Beam::kOuter);
}
bool beams_is_counting(const Beams* beams) { return beams->is_counting(); }
bool beams_is_interrupted(const Beams* beams, bool inner) {
    return beams->is_interrupted(inner ? Beam::kInner : Beam::kOuter);
}

Debounce* debounce_new(bool interrupted) {
    auto* debounce = new (std::nothrow) Debounce;
    debounce->start(interrupted);
    return debounce;
}
void debounce_free(Debounce* debounce) { delete debounce; }
void debounce_set(Debounce* debounce, bool interrupted, int64_t at_us) { debounce->set(interrupted, at_us); }
// False if no edge is due by *now_us*.
bool debounce_take(Debounce* debounce, int64_t now_us, bool* level, int64_t* at_us) {
    if (!debounce->is_due(now_us)) return false;
    *level = debounce->level();
    *at_us = debounce->at_us();
    debounce->accept();
    return true;
}

EdgeBuffer* edges_new() { return new (std::nothrow) EdgeBuffer; }
void edges_free(EdgeBuffer* edges) { delete edges; }
uint32_t edges_capacity() { return EdgeBuffer::kCapacity; }
void edges_push(EdgeBuffer* edges, uint32_t now_us, bool outer, bool inner) { edges->push(now_us, {outer, inner}); }
// Returns the levels as outer + 2 * inner, or -1 if there is no edge.
int32_t edges_pop(EdgeBuffer* edges, uint32_t* at_us) {
    Edge edge = {};
    if (!edges->pop(edge)) return -1;
    *at_us = edge.at_us;
    return (edge.levels.outer ? 1 : 0) + (edge.levels.inner ? 2 : 0);
}
uint32_t edges_lost(const EdgeBuffer* edges) { return edges->lost(); }
uint32_t edges_size(const EdgeBuffer* edges) { return static_cast<uint32_t>(edges->size()); }
// Pushes *count* edges 4 us apart, as an interrupt would.
void edges_push_many(EdgeBuffer* edges, uint32_t count) {
    for (uint32_t k = 0; k < count; ++k) edges->push(k * 4, {(k & 1) == 0, (k & 2) == 0});
}
// Pops until *count* edges are popped or lost; returns the number that were out of order or wrong.
uint32_t edges_pop_many(EdgeBuffer* edges, uint32_t count) {
    uint32_t popped = 0;
    uint32_t wrong = 0;
    uint32_t last_us = 0;
    Edge edge = {};
    while (popped + edges->lost() < count) {
        if (!edges->pop(edge)) continue;
        if (popped > 0 && edge.at_us <= last_us) ++wrong;
        if (edge.levels.outer != ((edge.at_us / 4 & 1) == 0)) ++wrong;
        last_us = edge.at_us;
        ++popped;
    }
    return wrong;
}

}  // extern "C"
