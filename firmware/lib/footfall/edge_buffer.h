// Edges on their way from the interrupt to the loop.
//
// One producer (the interrupt), one consumer (the loop), no lock and no waiting on either side. An entry is 4 bytes: the
// time in microseconds with its two lowest bits replaced by the levels of both pins, so a time is good to 4 us. What does
// not fit is not stored and is counted: the loop then knows that edges are missing (`lost()`), and tells the detector to
// start afresh from the levels of now. Nothing is ever overwritten.
//
// Capacity: 1024 entries, 4 KB. DETECTOR.md has the sum that shows why that is a stall of more than 5 s at a busy door.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "isr.h"

namespace footfall {

// Both beams at one moment, as the pins show them: true is a high pin. What high means is the business of Beams.
struct Levels {
    bool outer;
    bool inner;
};

struct Edge {
    uint32_t at_us;
    Levels levels;
};

class EdgeBuffer {
   public:
    static constexpr uint32_t kCapacity = 1024;  // a power of two: the indices wrap by themselves

    // Called by the interrupt. Stores the pins' levels unless they are those stored last (an edge came and went).
    void FOOTFALL_ISR push(uint32_t now_us, Levels levels);

    // Called by the loop. Gives the oldest edge, false where there is none.
    bool pop(Edge& edge);

    // Edges that did not fit since the start. Wraps at 2^32.
    uint32_t lost() const;

    size_t size() const;

   private:
    static_assert((kCapacity & (kCapacity - 1)) == 0, "the indices wrap by masking");

    uint32_t entries_[kCapacity] = {};
    uint32_t head_ = 0;  // written by the producer only; counts pushes
    uint32_t tail_ = 0;  // written by the consumer only; counts pops
    uint32_t lost_ = 0;  // written by the producer only
    uint32_t last_ = UINT32_MAX;  // levels pushed last, or none; used by the producer only
};

}  // namespace footfall
