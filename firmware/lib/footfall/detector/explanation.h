// The cheapest explanation of what two beams saw: which passages they were.
//
// A person, an arm or a pram takes consecutive intervals of each beam, several if it has holes. Explanation compares
// all ways to cut both rows of intervals into passages, in order, by the sum of their costs (costs.h), and takes the
// cheapest. The cost of a border depends on the passage before it. Therefore the search keeps two ways to explain each
// prefix: the cheapest that ends with a body, and the cheapest that does not. Ties go to the way that ends with nobody,
// then to the last passage with fewer intervals of the outer beam, then of the inner beam. Costs are small integers, so
// the result is the same on every machine.
#pragma once

#include "detector/group.h"

namespace footfall {

// A list of passages, oldest first.
class Explanation {
   public:
    static constexpr size_t kCapacity = 2 * Intervals::kCapacity;

    // All intervals must be closed. Reuses the results of the last call for intervals that have not changed.
    void find(const Intervals& outer, const Intervals& inner, uint32_t spacing_mm);

    size_t size() const { return size_; }
    const Passage& operator[](size_t index) const { return passages_[index]; }

   private:
    // The cheapest explanation of a prefix of both rows. Of its last passage it keeps only what the next border needs:
    // the board has no memory for 338 passages, and no time to find them again.
    struct Node {
        int32_t cost;
        uint16_t length_mm;  // at most kLongest
        uint16_t speed_mm_s;
        uint8_t outer_size;
        uint8_t inner_size;
        Direction direction;
        bool complete : 1;
        bool steady : 1;
        bool follows_body : 1;  // the passage before it is complete
    };
    // Both nodes of one prefix: [1] ends with a body, [0] does not.
    using Nodes = Node[2];
    static constexpr size_t kSide = Intervals::kCapacity + 1;
    static constexpr int32_t kLongest = UINT16_MAX;  // mm: anyone who looks longer stood there

    // One beam's intervals in the last call.
    struct Row {
        Intervals intervals;
        // Running counts of the holes between them:
        uint8_t clear_times[kSide];  // holes in which the other beam is clear too
        uint8_t wide_holes[kSide];   // holes wider than kSmallHole

        size_t shared_with(const Intervals& now) const;
        void count_holes(const Intervals& other);
    };

    void reach(size_t i, size_t j);
    void try_group(size_t i, size_t j, size_t outer_size, size_t inner_size);
    void retrace();

    Group group_before(size_t i, size_t j, size_t outer_size, size_t inner_size) const;
    static size_t cheaper_of(const Nodes& nodes) { return nodes[1].cost < nodes[0].cost ? 1 : 0; }
    static int32_t limit_of(const Nodes& nodes, const Nodes& from);
    static Node node_of(const Passage& passage, int32_t cost, bool follows_body);
    static Passage last_passage(const Node& node, const Group& group);

    Row outer_ = {};
    Row inner_ = {};
    Spacing spacing_{0};
    Nodes nodes_[kSide][kSide] = {};
    Passage passages_[kCapacity] = {};
    size_t size_ = 0;
};

}  // namespace footfall
