// A device of equal sectors that are erased whole and then written once, byte by byte: flash, or a file on a PC.
//
// What the queue relies on, and nothing more:
//   - after erase() every byte of the sector reads 0xFF; a power cut in it leaves anything at all in that sector;
//   - program() writes bytes that are blank (0xFF) since the last erase; a power cut in it leaves anything in the
//     range it was writing, and every other byte as it was;
//   - what was written stays as written, or is damaged; it does not turn blank by itself;
//   - sync() returns when all that was programmed and erased before will survive a power cut.
//
// On the board: raw flash sectors of 4096 bytes (ESP.flashRead, flashWrite, flashEraseSector; sync() does nothing)
// in the 1 MB at 0x100000 that the layout eagle.flash.4m1m.ld leaves free (the sketch ends before it, an update is
// staged after 0x200000). One LittleFS file per sector works as well (program: append and close; erase: truncate to
// nothing; bytes past its end read 0xFF), but rewrites a block of 8 KB for each crossing. QUEUE.md has the figures.
#pragma once

#include <stdint.h>

namespace footfall {

class BlockDevice {
   public:
    // Bytes in a sector: a multiple of 4, at least 256. The same for as long as the queue exists.
    virtual uint32_t sector_size() const = 0;
    // 4 to RecordRing::kMaxSectors. The same for as long as the queue exists.
    virtual uint32_t sector_count() const = 0;
    // Each returns false when the device failed. Offsets and sizes of program() are multiples of 4.
    virtual bool read(uint32_t sector, uint32_t offset, void* into, uint32_t size) = 0;
    virtual bool program(uint32_t sector, uint32_t offset, const void* from, uint32_t size) = 0;
    virtual bool erase(uint32_t sector) = 0;
    virtual bool sync() = 0;

   protected:
    ~BlockDevice() = default;
};

}  // namespace footfall
