// What the machine must provide: storage for the queue and random numbers. sending/signature.h has the third port,
// HMAC.
#pragma once

#include <stdint.h>

namespace footfall {

// A device of equal sectors that are erased as a whole and then written once, byte by byte: flash, or a file on a PC.
//
// The queue relies on this, and on nothing more:
//   - After erase() every byte of the sector reads 0xFF. A power cut during erase() leaves anything in that sector.
//   - program() writes bytes that are blank (0xFF) since the last erase. A power cut during program() leaves anything
//     in the range being written, and every other byte unchanged.
//   - Written bytes stay as written or are damaged; they never turn blank by themselves.
//   - When sync() returns, everything programmed and erased before survives a power cut.
class BlockDevice {
   public:
    // Bytes in a sector: a multiple of 4, at least 256. Constant.
    virtual uint32_t sector_size() const = 0;
    // 4 to RecordRing::kMaxSectors. Constant.
    virtual uint32_t sector_count() const = 0;
    // Each returns false if the device failed. Offsets and sizes of program() are multiples of 4.
    virtual bool read(uint32_t sector, uint32_t offset, void* into, uint32_t size) = 0;
    virtual bool program(uint32_t sector, uint32_t offset, const void* from, uint32_t size) = 0;
    virtual bool erase(uint32_t sector) = 0;
    virtual bool sync() = 0;

   protected:
    ~BlockDevice() = default;
};

// Random numbers: from the radio's noise on the board, from the operating system on a PC.
class RandomSource {
   public:
    virtual uint32_t next() = 0;

   protected:
    ~RandomSource() = default;
};

}  // namespace footfall
