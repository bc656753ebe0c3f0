// Little-endian integers and CRC-32, so that stored bytes read the same on every machine.
#pragma once

#include <stddef.h>
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

// Four bits at a time: the ESP8266 keeps constants in RAM, and this table takes only 64 bytes.
inline constexpr uint32_t kCrcTable[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

// CRC-32 of IEEE 802.3 and zlib. *before*: the CRC of the bytes before these; 0 if there are none.
inline uint32_t crc32(const void* bytes, size_t size, uint32_t before = 0) {
    const uint8_t* at = static_cast<const uint8_t*>(bytes);
    uint32_t crc = ~before;
    for (size_t i = 0; i < size; i++) {
        crc ^= at[i];
        crc = crc >> 4 ^ kCrcTable[crc & 15];
        crc = crc >> 4 ^ kCrcTable[crc & 15];
    }
    return ~crc;
}

}  // namespace footfall
