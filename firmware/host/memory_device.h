// A block device in memory that can lose power during a write, and that detects misuse.
#pragma once

#include <stdint.h>
#include <string.h>

#include <vector>

#include "device/ports.h"

class MemoryDevice final : public footfall::BlockDevice {
   public:
    static constexpr uint32_t kEraseCost = 8;  // an erase takes as long as writing this many bytes

    MemoryDevice(uint32_t sector_size, uint32_t sectors, uint8_t fill)
        : bytes(static_cast<size_t>(sector_size) * sectors, fill), size_(sector_size), count_(sectors) {}

    uint32_t sector_size() const override { return size_; }
    uint32_t sector_count() const override { return count_; }

    bool read(uint32_t sector, uint32_t offset, void* into, uint32_t size) override {
        if (!is_inside(sector, offset, size)) {
            return false;
        }
        memcpy(into, at(sector, offset), size);
        return true;
    }

    bool program(uint32_t sector, uint32_t offset, const void* from, uint32_t size) override {
        if (!has_power || !is_inside(sector, offset, size)) {
            return false;
        }
        const uint8_t* source = static_cast<const uint8_t*>(from);
        uint8_t* target = at(sector, offset);
        misused = misused || offset % 4 != 0 || size % 4 != 0;
        programmed += size;
        for (uint32_t i = 0; i < size; i++) {
            misused = misused || target[i] != 0xff;
            if (!spend(1)) {
                target[i] = static_cast<uint8_t>(target[i] & (source[i] | noise()));  // some of its bits
                return false;
            }
            target[i] &= source[i];
        }
        return true;
    }

    bool erase(uint32_t sector) override {
        if (!has_power || sector >= count_) {
            return false;
        }
        erased++;
        for (uint32_t i = 0; i < kEraseCost; i++) {
            if (!spend(1)) {
                for (uint32_t k = 0; k < size_; k++) {
                    at(sector, k)[0] = static_cast<uint8_t>(at(sector, k)[0] | (k % 3 ? noise() : 0xff));
                }
                return false;
            }
        }
        memset(at(sector, 0), 0xff, size_);
        return true;
    }

    bool sync() override { return has_power; }

    // The power fails after *cost* more bytes; a negative cost means never.
    void fail_after(int64_t cost) {
        left_ = cost;
        has_power = true;
    }

    uint8_t* at(uint32_t sector, uint32_t offset) { return &bytes[static_cast<size_t>(sector) * size_ + offset]; }

    std::vector<uint8_t> bytes;
    bool has_power = true;
    bool misused = false;  // a byte was written twice without an erase, or a write was not a multiple of four bytes
    uint64_t programmed = 0;
    uint64_t erased = 0;
    uint32_t seed = 1;

   private:
    bool is_inside(uint32_t sector, uint32_t offset, uint32_t size) const {
        return sector < count_ && offset <= size_ && size <= size_ - offset;
    }
    bool spend(int64_t cost) {
        if (left_ < 0) {
            return true;
        }
        left_ -= cost;
        has_power = left_ >= 0;
        return has_power;
    }
    uint8_t noise() {
        seed = seed * 1664525u + 1013904223u;
        return static_cast<uint8_t>(seed >> 24);
    }

    uint32_t size_;
    uint32_t count_;
    int64_t left_ = -1;
};
