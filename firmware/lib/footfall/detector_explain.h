// Who passed, given what two beams saw: the cheapest explanation of a row of intervals.
//
// A person, an arm or a pram takes some consecutive intervals of each beam (several where it has holes). All ways to
// cut both rows into passages, in order, are compared by a sum of costs (detector_costs.h, detector_borders.h), and the
// cheapest is taken. What a border costs depends on who is before it: of all ways to explain what came so far, the
// cheapest that ends with a body and the cheapest that does not are gone on with. Where two cost the same, it is the one
// that ends with nobody, then the one whose last passage has fewer intervals of the outer beam, then of the inner one.
// Amounts are small whole numbers, so the result is the same on every machine.
#pragma once

#include "detector_group.h"

namespace footfall {

// The cheapest explanation of up to kCapacity intervals per beam, oldest passage first.
class Explanation {
   public:
    static constexpr size_t kCapacity = 2 * Intervals::kCapacity;

    // All intervals must be closed. What began as it did the last time is not thought of again.
    void find(const Intervals& outer, const Intervals& inner, uint32_t spacing_mm);

    size_t size() const { return size_; }
    const Passage& operator[](size_t index) const { return passages_[index]; }

   private:
    // The cheapest explanation of the first so many intervals of each beam that ends with a body, or with nobody. Of its
    // last passage it keeps what the border to the next one asks for: on the board there is no room for 338 passages,
    // and no time to find them again.
    struct Node {
        int32_t cost;
        uint16_t length_mm;  // at most kLongest
        uint16_t speed_mm_s;
        uint8_t outer_size;
        uint8_t inner_size;
        Direction direction;
        bool complete : 1;
        bool steady : 1;
        bool follows_body : 1;  // as the passage before it
    };
    // Both nodes of the same intervals, by whether they end with a body.
    using Nodes = Node[2];
    static constexpr size_t kSide = Intervals::kCapacity + 1;
    static constexpr int32_t kLongest = UINT16_MAX;  // mm: whoever looks longer stood there

    // One beam's intervals as they were explained last.
    struct Row {
        Intervals intervals;
        // Of the holes between the first so many of them:
        uint8_t clear_times[kSide];  // in which both beams are clear, all intervals of the other beam seen
        uint8_t wide_holes[kSide];   // that are wider than kSmallHole

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
