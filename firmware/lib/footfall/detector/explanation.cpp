#include "detector/explanation.h"

#include "detector/costs.h"

namespace footfall {

namespace {

bool is_same(const Interval& a, const Interval& b) {
    return a.from_us == b.from_us && a.to_us == b.to_us && a.holes_us == b.holes_us;
}

}  // namespace

// The number of leading intervals that *now* has in common with the last call.
size_t Explanation::Row::shared_with(const Intervals& now) const {
    size_t k = 0;
    while (k < now.size && k < intervals.size && is_same(now.at[k], intervals.at[k])) ++k;
    return k;
}

// A hole that is clear against all intervals of *other* is clear in every group, which holds only some of them.
void Explanation::Row::count_holes(const Intervals& other) {
    const Interval* const own = intervals.at;
    for (size_t k = 1; k < intervals.size; ++k) {
        const bool is_clear = is_clear_within(own[k - 1].to_us, own[k].from_us, other.at, other.size);
        clear_times[k] = static_cast<uint8_t>(clear_times[k - 1] + (is_clear ? 1 : 0));
        const bool is_wide = own[k].from_us - own[k - 1].to_us > kSmallHole;
        wide_holes[k] = static_cast<uint8_t>(wide_holes[k - 1] + (is_wide ? 1 : 0));
    }
}

// The last *outer_size* of the first *i* outer intervals, and the last *inner_size* of the first *j* inner ones.
Group Explanation::group_before(size_t i, size_t j, size_t outer_size, size_t inner_size) const {
    Group group = {&outer_.intervals.at[i - outer_size], outer_size, &inner_.intervals.at[j - inner_size], inner_size,
                   spacing_};
    size_t wide_holes = 0;
    if (outer_size > 1) {
        group.clear_times += outer_.clear_times[i - 1] - outer_.clear_times[i - outer_size];
        wide_holes = size_t{outer_.wide_holes[i - 1]} - outer_.wide_holes[i - outer_size];
    }
    if (inner_size > 1) {
        group.clear_times += inner_.clear_times[j - 1] - inner_.clear_times[j - inner_size];
        const size_t inner_wide = size_t{inner_.wide_holes[j - 1]} - inner_.wide_holes[j - inner_size];
        if (inner_wide > wide_holes) wide_holes = inner_wide;
    }
    group.pieces = wide_holes + 1;
    return group;
}

Explanation::Node Explanation::node_of(const Passage& passage, int32_t cost, bool follows_body) {
    return {cost,
            static_cast<uint16_t>(between(0, passage.length_mm, kLongest)),
            static_cast<uint16_t>(passage.speed_mm_s),
            passage.outer_size,
            passage.inner_size,
            passage.direction,
            passage.complete,
            passage.steady,
            follows_body};
}

// The cost from which a passage between *from* and *nodes* is useless: it improves neither node, or the other node wins
// whatever border comes next.
int32_t Explanation::limit_of(const Nodes& nodes, const Nodes& from) {
    const int64_t dearer = most(nodes[0].cost, nodes[1].cost);
    const int64_t hopeless = int64_t{nodes[cheaper_of(nodes)].cost} + kDearestBorder;
    return between(0, least(dearer, hopeless) - from[cheaper_of(from)].cost, kImpossible);
}

// The last passage of *node*, with the fields that border_cost() reads; *group* holds its intervals.
Passage Explanation::last_passage(const Node& node, const Group& group) {
    Passage passage = {};
    passage.complete = node.complete;
    passage.direction = node.direction;
    passage.length_mm = node.length_mm;
    passage.speed_mm_s = node.speed_mm_s;
    passage.steady = node.steady;
    passage.from_us = from_of(group);
    passage.to_us = to_of(group);
    passage.brief = passage.to_us - passage.from_us <= kBrief;
    passage.outer_size = node.outer_size;
    passage.inner_size = node.inner_size;
    return passage;
}

// Tries the last *outer_size* and *inner_size* of the first *i* and *j* intervals as one passage.
void Explanation::try_group(size_t i, size_t j, size_t outer_size, size_t inner_size) {
    const Nodes& from = nodes_[i - outer_size][j - inner_size];
    const int32_t limit = limit_of(nodes_[i][j], from);
    if (limit == 0) return;
    const Group group = group_before(i, j, outer_size, inner_size);
    if (costs_at_least(group, limit)) return;
    Passage passage;
    const int32_t own_cost = group_cost(group, limit, passage);
    if (own_cost >= limit) return;
    Node& node = nodes_[i][j][passage.complete ? 1 : 0];
    for (const Node& before : from) {
        if (before.cost >= node.cost - own_cost) continue;
        int32_t cost = before.cost + own_cost;
        if (before.outer_size + before.inner_size > 0) {
            const Group earlier = group_before(i - outer_size, j - inner_size, before.outer_size, before.inner_size);
            cost += border_cost(earlier, last_passage(before, earlier), group, passage);
        }
        if (cost < node.cost) node = node_of(passage, cost, before.complete);
    }
}

// Finds both nodes of the first *i* and *j* intervals; all shorter prefixes are known.
void Explanation::reach(size_t i, size_t j) {
    for (Node& node : nodes_[i][j]) node.cost = INT32_MAX;
    if (j > 0) try_group(i, j, 0, 1);  // a passage that one beam saw is one interval
    if (i > 0) try_group(i, j, 1, 0);
    for (size_t a = 1; a <= i; ++a) {
        for (size_t b = 1; b <= j; ++b) try_group(i, j, a, b);
    }
}

// Follows the cheapest way back to the start and puts its passages in order.
void Explanation::retrace() {
    size_ = 0;
    size_t kind = cheaper_of(nodes_[outer_.intervals.size][inner_.intervals.size]);
    for (size_t i = outer_.intervals.size, j = inner_.intervals.size; i + j > 0; ++size_) {
        const Node& node = nodes_[i][j][kind];
        kind = node.follows_body ? 1 : 0;
        group_cost(group_before(i, j, node.outer_size, node.inner_size), kImpossible, passages_[size_]);
        i -= node.outer_size;
        j -= node.inner_size;
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

void Explanation::find(const Intervals& outer, const Intervals& inner, uint32_t spacing_mm) {
    // Later intervals do not change how a prefix is best explained, so nodes of unchanged prefixes stay.
    const bool is_new = static_cast<int32_t>(spacing_mm) != spacing_.mm;
    const size_t known_outer = is_new ? 0 : outer_.shared_with(outer);
    const size_t known_inner = is_new ? 0 : inner_.shared_with(inner);
    outer_.intervals = outer;
    inner_.intervals = inner;
    if (is_new) spacing_ = Spacing(spacing_mm);
    outer_.count_holes(inner);
    inner_.count_holes(outer);
    nodes_[0][0][1].cost = INT32_MAX;
    for (size_t i = 0; i <= outer.size; ++i) {
        for (size_t j = i > known_outer ? 0 : known_inner + 1; j <= inner.size; ++j) {
            if (i + j > 0) reach(i, j);
        }
    }
    retrace();
}

}  // namespace footfall
