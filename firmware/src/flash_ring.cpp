#include "flash_ring.h"

#include <Arduino.h>

namespace {

uint32_t address_of(uint32_t sector, uint32_t offset) {
    return FlashRing::kStart + sector * FlashRing::kSectorBytes + offset;
}

}  // namespace

// The byte overloads of the core accept addresses and sizes that are not multiples of four.
bool FlashRing::read(uint32_t sector, uint32_t offset, void* into, uint32_t size) {
    if (++reads_ % 64 == 0) {
        ESP.wdtFeed();  // opening a queue with weeks of backlog takes seconds; the watchdog bites after about 3 s
    }
    return ESP.flashRead(address_of(sector, offset), static_cast<uint8_t*>(into), size);
}

bool FlashRing::program(uint32_t sector, uint32_t offset, const void* from, uint32_t size) {
    return ESP.flashWrite(address_of(sector, offset), static_cast<const uint8_t*>(from), size);
}

bool FlashRing::erase(uint32_t sector) {
    const bool erased = ESP.flashEraseSector(kStart / kSectorBytes + sector);
    ESP.wdtFeed();  // formatting erases every sector, 50 to 100 ms each
    return erased;
}
