#include "detector/edge_buffer.h"

namespace footfall {

namespace {
constexpr uint32_t kOuterBit = 1;
constexpr uint32_t kInnerBit = 2;
constexpr uint32_t kLevelBits = kOuterBit | kInnerBit;
}  // namespace

// On the ESP8266, which has one core, the builtins compile to plain loads and stores with a compiler barrier. On a PC
// they are real atomics: the tests run producer and consumer in two threads.
void EdgeBuffer::push(uint32_t now_us, Levels levels) {
    const uint32_t bits = (levels.outer ? kOuterBit : 0U) | (levels.inner ? kInnerBit : 0U);
    if (bits == last_) {
        return;
    }
    const uint32_t tail = __atomic_load_n(&tail_, __ATOMIC_ACQUIRE);
    if (head_ - tail == kCapacity) {
        __atomic_store_n(&lost_, lost_ + 1, __ATOMIC_RELEASE);
        last_ = UINT32_MAX;  // store the next edge whatever its levels are
        return;
    }
    last_ = bits;
    entries_[head_ & (kCapacity - 1)] = (now_us & ~kLevelBits) | bits;
    __atomic_store_n(&head_, head_ + 1, __ATOMIC_RELEASE);
}

bool EdgeBuffer::pop(Edge& edge) {
    const uint32_t head = __atomic_load_n(&head_, __ATOMIC_ACQUIRE);
    if (head == tail_) {
        return false;
    }
    const uint32_t entry = entries_[tail_ & (kCapacity - 1)];
    edge.at_us = entry & ~kLevelBits;
    edge.levels = {(entry & kOuterBit) != 0, (entry & kInnerBit) != 0};
    __atomic_store_n(&tail_, tail_ + 1, __ATOMIC_RELEASE);
    return true;
}

uint32_t EdgeBuffer::lost() const { return __atomic_load_n(&lost_, __ATOMIC_ACQUIRE); }

size_t EdgeBuffer::size() const {
    return __atomic_load_n(&head_, __ATOMIC_ACQUIRE) - __atomic_load_n(&tail_, __ATOMIC_RELAXED);
}

}  // namespace footfall
