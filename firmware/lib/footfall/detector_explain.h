// Who passed, given what two beams saw: the cheapest explanation of a row of intervals.
//
// A person, an arm or a pram takes some consecutive intervals of each beam (several where it has holes). All ways to cut
// both rows into passages, in order, are compared by a sum of costs (detector_costs.h), and the cheapest is taken.
// Amounts are small whole numbers, so the result is the same on every machine.
#pragma once

#include "passage.h"

namespace footfall {

// The cheapest explanation of up to kCapacity intervals per beam, oldest passage first.
class Explanation {
   public:
    static constexpr size_t kCapacity = 2 * Intervals::kCapacity;

    // All intervals must be closed.
    void find(const Intervals& outer, const Intervals& inner, uint32_t spacing_mm);

    size_t size() const { return size_; }
    const Passage& operator[](size_t index) const { return passages_[index]; }

   private:
    struct Node {
        int32_t cost;
        uint8_t outer_size;  // of the passage that ends here
        uint8_t inner_size;
    };
    static constexpr size_t kSide = Intervals::kCapacity + 1;

    void reach(const Intervals& outer, const Intervals& inner, size_t i, size_t j, uint32_t spacing_mm);

    Node nodes_[kSide][kSide];
    Passage passages_[kCapacity];
    size_t size_ = 0;
};

}  // namespace footfall
