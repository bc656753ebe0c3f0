// CRC-32 as in IEEE 802.3: polynomial 0xEDB88320 reflected, start and end inverted.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace footfall {

// Returns the CRC of *bytes* after the bytes whose CRC is *before* (0: none).
uint32_t crc32(const void* bytes, size_t size, uint32_t before = 0);

}  // namespace footfall
