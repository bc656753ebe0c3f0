// Edges on their way from the interrupt to the loop.
//
// One producer (the interrupt) and one consumer (the loop), without locks or waiting. An entry is 4 bytes: the time in
// microseconds, its two lowest bits replaced by the levels of both pins, so a time is accurate to 4 us. A full buffer
// drops new edges and counts them; it never overwrites. The consumer sees the loss in lost() and restarts the detector
// from the present levels.
//
// Capacity: 1024 entries, 4 KB. README.md shows why this covers a stall of more than 5 s at the busiest door.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Marks code that an interrupt runs. On the ESP8266 it must be in IRAM, because the flash may be busy. Interrupt code
// outside IRAM crashes the board at run time, and no compiler warns (Arduino core 3.1.2 documentation).
#if defined(ESP8266) || defined(FOOTFALL_IRAM)
#define FOOTFALL_ISR __attribute__((section(".iram.text.footfall")))
#else
#define FOOTFALL_ISR
#endif

namespace footfall {

// Both pins at one moment: true is a high pin. Beams knows whether high means interrupted.
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
    static constexpr uint32_t kCapacity = 1024;

    // For the interrupt. Stores the levels unless they equal the last ones stored.
    void FOOTFALL_ISR push(uint32_t now_us, Levels levels);

    // For the loop. Takes the oldest edge; false if there is none.
    bool pop(Edge& edge);

    // Edges dropped since power-up. Wraps at 2^32.
    uint32_t lost() const;

    size_t size() const;

   private:
    static_assert((kCapacity & (kCapacity - 1)) == 0, "indices wrap by masking");

    uint32_t entries_[kCapacity] = {};
    uint32_t head_ = 0;  // pushes; written by the producer only
    uint32_t tail_ = 0;  // pops; written by the consumer only
    uint32_t lost_ = 0;  // written by the producer only
    uint32_t last_ = UINT32_MAX;  // levels pushed last, or none; used by the producer only
};

}  // namespace footfall
