// The queue's sectors: raw flash between the program and the area where updates are staged.
//
//     0x000000  program, at most 1,044,464 bytes            (tools/sdk/ld/eagle.flash.4m1m.ld of core 3.1.2)
//     0x100000  the queue: 128 sectors of 4096 bytes
//     0x200000  an update of up to 1 MB, staged right below the file system (Updater.cpp)
//     0x300000  LittleFS: settings, CA certificate
//     0x3FB000  the SDK's data
#pragma once

#include "device/ports.h"

class FlashRing : public footfall::BlockDevice {
   public:
    static constexpr uint32_t kStart = 0x100000;
    static constexpr uint32_t kEnd = 0x200000;
    static constexpr uint32_t kSectorBytes = 4096;
    static constexpr uint32_t kSectors = 128;  // 21,376 records
    static_assert(kStart + kSectors * kSectorBytes <= kEnd, "the queue ends before a staged update");

    uint32_t sector_size() const override { return kSectorBytes; }
    uint32_t sector_count() const override { return kSectors; }
    bool read(uint32_t sector, uint32_t offset, void* into, uint32_t size) override;
    bool program(uint32_t sector, uint32_t offset, const void* from, uint32_t size) override;
    bool erase(uint32_t sector) override;
    bool sync() override { return true; }  // the flash has no write cache

   private:
    uint32_t reads_ = 0;
};
