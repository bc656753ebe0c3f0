// Integers as little-endian bytes, so that a queue reads the same on every machine.
#pragma once

#include <stdint.h>

namespace footfall {

inline void put_le(uint8_t* into, uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; i++) {
        into[i] = static_cast<uint8_t>(value >> (8 * i));
    }
}

inline uint64_t get_le(const uint8_t* from, unsigned size) {
    uint64_t value = 0;
    for (unsigned i = size; i > 0; i--) {
        value = value << 8 | from[i - 1];
    }
    return value;
}

}  // namespace footfall
