// The queue's sectors in one file of fixed size. Missing bytes read as zeros, so a truncated file is damaged, not
// blank. The file is locked: only one process can use it.
#pragma once

#include <stdint.h>

#include "device/ports.h"

class FileDevice : public footfall::BlockDevice {
   public:
    static constexpr uint32_t kSectorBytes = 4096;

    FileDevice(uint32_t sectors) : sectors_(sectors) {}
    ~FileDevice();
    FileDevice(const FileDevice&) = delete;
    FileDevice& operator=(const FileDevice&) = delete;

    // Opens or creates the file at *path*. If false, errno says why; EWOULDBLOCK: another process uses it.
    bool open(const char* path);
    // For tests: the power fails while the byte after *bytes* more is written, and the process exits.
    void die_after(int64_t bytes) { left_ = bytes; }

    uint32_t sector_size() const override { return kSectorBytes; }
    uint32_t sector_count() const override { return sectors_; }
    bool read(uint32_t sector, uint32_t offset, void* into, uint32_t size) override;
    bool program(uint32_t sector, uint32_t offset, const void* from, uint32_t size) override;
    bool erase(uint32_t sector) override;
    bool sync() override;

   private:
    bool write(uint64_t at, const uint8_t* from, uint32_t size);

    uint32_t sectors_;
    int file_ = -1;
    int64_t left_ = -1;
};
