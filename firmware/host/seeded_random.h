// Reproducible random numbers for tests and simulations.
#pragma once

#include <stdint.h>

#include "device/ports.h"

class SeededRandom : public footfall::RandomSource {
   public:
    explicit SeededRandom(uint64_t seed) : state_(seed) {}

    // splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
    uint32_t next() override {
        uint64_t mixed = state_ += 0x9e3779b97f4a7c15u;
        mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
        mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
        return static_cast<uint32_t>((mixed ^ mixed >> 31) >> 32);
    }
    // From 0 to *limit* - 1.
    uint32_t below(uint32_t limit) { return next() % limit; }

   private:
    uint64_t state_;
};
