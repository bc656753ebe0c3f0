#include "detector_explain.h"

#include "detector_costs.h"

namespace footfall {

// Finds the cheapest way to explain the first *i* and *j* intervals, all shorter ways being known.
void Explanation::reach(const Intervals& outer, const Intervals& inner, size_t i, size_t j, uint32_t spacing_mm) {
    Node& node = nodes_[i][j];
    node = {INT32_MAX, 0, 0};
    for (size_t a = 0; a <= i; ++a) {
        for (size_t b = a == 0 ? 1 : 0; b <= j; ++b) {
            const Node& from = nodes_[i - a][j - b];
            if (from.cost >= node.cost) continue;
            const Group group = {&outer.at[i - a], a, &inner.at[j - b], b, spacing_mm};
            Passage passage;
            int32_t cost = group_cost(group, passage);
            if (cost >= kImpossible) continue;
            cost += from.cost;
            if (from.outer_size + from.inner_size > 0 && cost < node.cost) {
                const Group earlier = {&outer.at[i - a - from.outer_size], from.outer_size,
                                       &inner.at[j - b - from.inner_size], from.inner_size, spacing_mm};
                Passage before;
                group_cost(earlier, before);
                cost += border_cost(earlier, before, group, passage);
            }
            if (cost < node.cost) node = {cost, static_cast<uint8_t>(a), static_cast<uint8_t>(b)};
        }
    }
}

void Explanation::find(const Intervals& outer, const Intervals& inner, uint32_t spacing_mm) {
    nodes_[0][0] = {0, 0, 0};
    for (size_t i = 0; i <= outer.size; ++i) {
        for (size_t j = 0; j <= inner.size; ++j) {
            if (i + j > 0) reach(outer, inner, i, j, spacing_mm);
        }
    }
    size_ = 0;
    for (size_t i = outer.size, j = inner.size; i + j > 0;) {
        const Node& node = nodes_[i][j];
        i -= node.outer_size;
        j -= node.inner_size;
        const Group group = {&outer.at[i], node.outer_size, &inner.at[j], node.inner_size, spacing_mm};
        group_cost(group, passages_[size_]);
        ++size_;
    }
    for (size_t k = 0; 2 * k + 1 < size_; ++k) {
        const Passage other = passages_[k];
        passages_[k] = passages_[size_ - 1 - k];
        passages_[size_ - 1 - k] = other;
    }
    for (size_t k = 0; k < size_; ++k) {
        passages_[k].clear_after = k + 1 == size_ || is_clear_between(passages_[k], passages_[k + 1]);
    }
}

}  // namespace footfall
