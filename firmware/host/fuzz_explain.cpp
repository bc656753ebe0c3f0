// Compares the detector's explanations with an exhaustive search, and stops at the first difference.
//
//     fuzz_explain COUNT [SEED]
//
// Explanation skips groups that cannot win and reuses earlier results. This program computes the full cost of every way
// to cut COUNT random rows into passages. The rows change as in the detector: they grow, the last interval continues,
// the oldest are removed. Both must find the same passages, in every field.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "detector/costs.h"
#include "detector/explanation.h"
#include "detector/group.h"

#include "seeded_random.h"

namespace {

using footfall::Explanation;
using footfall::Group;
using footfall::Interval;
using footfall::Intervals;
using footfall::Passage;
using footfall::Spacing;

struct Rows {
    Intervals outer;
    Intervals inner;
};

// The length of an interval or a hole, us; *kind* selects chatter, arms, bodies or standing people.
int64_t duration_us(SeededRandom& chance, uint32_t kind) {
    switch (kind) {
        case 0: return 4'000 + chance.below(60'000);
        case 1: return 20'000 + chance.below(400'000);
        case 2: return 5'000 * (1 + chance.below(60));  // equal lengths, so that costs tie
        case 3: return chance.below(8) == 0 ? 1 + chance.below(15'000'000) : 30'000 + chance.below(300'000);
        default: return 4'000 + chance.below(1U << (8 + chance.below(15)));
    }
}

void append(Intervals& own, SeededRandom& chance, uint32_t kind) {
    const int64_t last_us = own.size > 0 ? own.at[own.size - 1].to_us : chance.below(500'000);
    const int64_t from_us = last_us + duration_us(chance, kind);
    const int64_t length_us = duration_us(chance, kind);
    const int64_t holes_us = chance.below(3) == 0 ? chance.below(static_cast<uint32_t>(length_us)) : 0;
    own.at[own.size++] = {from_us, from_us + length_us, holes_us};
}

// The intervals of *other* shifted by a lag, each edge off by some milliseconds.
void follow(Intervals& own, const Intervals& other, SeededRandom& chance) {
    const int64_t lag_us = chance.below(300'000);
    own.size = 0;
    for (size_t k = 0; k < other.size; ++k) {
        const int64_t from_us = other.at[k].from_us + lag_us + chance.below(8'000);
        const int64_t to_us = other.at[k].to_us + lag_us + chance.below(8'000);
        const bool is_after = own.size == 0 || from_us > own.at[own.size - 1].to_us;
        if (is_after && to_us > from_us && chance.below(8) > 0) own.at[own.size++] = {from_us, to_us, 0};
    }
}

// Changes the rows as may happen between two decisions of the detector.
void go_on(Rows& rows, SeededRandom& chance, uint32_t kind) {
    Intervals& own = chance.below(2) == 0 ? rows.outer : rows.inner;
    const uint32_t what = chance.below(12);
    if (what == 0 || own.size == Intervals::kCapacity) {
        rows.outer.remove_oldest(chance.below(static_cast<uint32_t>(rows.outer.size) + 1));
        rows.inner.remove_oldest(chance.below(static_cast<uint32_t>(rows.inner.size) + 1));
    } else if (what == 1 && own.size > 0) {
        own.at[own.size - 1].to_us += duration_us(chance, kind);
    } else if (what == 2) {
        chance.below(2) == 0 ? follow(rows.outer, rows.inner, chance) : follow(rows.inner, rows.outer, chance);
    } else {
        append(own, chance, kind);
    }
}

// The cheapest way of all, found by trying every one.
class ExhaustiveSearch {
   public:
    void find(const Rows& rows, const Spacing& spacing) {
        for (size_t i = 0; i <= rows.outer.size; ++i) {
            for (size_t j = 0; j <= rows.inner.size; ++j) reach(rows, i, j, spacing);
        }
    }

    struct Node {
        int64_t cost;
        Passage last;
        size_t before;  // 1 if the passage before it is a body
    };

    // The cheapest way to explain the first *i* and *j* intervals that ends with a body (1) or does not (0).
    const Node& node(size_t i, size_t j, size_t body) const { return nodes_[i][j][body]; }
    size_t cheaper(size_t i, size_t j) const { return nodes_[i][j][1].cost < nodes_[i][j][0].cost ? 1 : 0; }

   private:
    static constexpr size_t kSide = Intervals::kCapacity + 1;

    static Group group_of(const Rows& rows, size_t i, size_t j, const Passage& passage, const Spacing& spacing) {
        return {&rows.outer.at[i - passage.outer_size], passage.outer_size, &rows.inner.at[j - passage.inner_size],
                passage.inner_size, spacing};
    }

    void reach(const Rows& rows, size_t i, size_t j, const Spacing& spacing) {
        nodes_[i][j][0] = {i + j > 0 ? kNoWay : 0, {}, 0};
        nodes_[i][j][1] = {kNoWay, {}, 0};
        for (size_t a = 0; a <= i; ++a) {
            for (size_t b = a == 0 ? 1 : 0; b <= j; ++b) try_group(rows, i, j, a, b, spacing);
        }
    }

    void try_group(const Rows& rows, size_t i, size_t j, size_t a, size_t b, const Spacing& spacing) {
        const Group group = {&rows.outer.at[i - a], a, &rows.inner.at[j - b], b, spacing};
        Passage passage = {};
        const int64_t own_cost = group_cost(group, footfall::kImpossible, passage);
        if (own_cost >= footfall::kImpossible) return;
        Node& node = nodes_[i][j][passage.complete ? 1 : 0];
        for (size_t before = 0; before < 2; ++before) {
            const Node& from = nodes_[i - a][j - b][before];
            if (from.cost == kNoWay) continue;
            int64_t cost = from.cost + own_cost;
            if (i > a || j > b) {
                cost += border_cost(group_of(rows, i - a, j - b, from.last, spacing), from.last, group, passage);
            }
            if (cost < node.cost) node = {cost, passage, before};
        }
    }

    static constexpr int64_t kNoWay = INT64_MAX;

    Node nodes_[kSide][kSide][2];
};

bool are_same(const Passage& a, const Passage& b) {
    if (a.complete != b.complete || a.brief != b.brief || a.from_us != b.from_us || a.to_us != b.to_us) return false;
    if (a.outer_size != b.outer_size || a.inner_size != b.inner_size) return false;
    return !a.complete || (a.direction == b.direction && a.at_us == b.at_us && a.length_mm == b.length_mm &&
                           a.speed_mm_s == b.speed_mm_s && a.steady == b.steady);
}

bool agree(const Explanation& explanation, const ExhaustiveSearch& search, const Rows& rows) {
    size_t i = rows.outer.size;
    size_t j = rows.inner.size;
    size_t body = search.cheaper(i, j);
    for (size_t k = explanation.size(); k > 0; --k) {
        if (i + j == 0 || !are_same(explanation[k - 1], search.node(i, j, body).last)) return false;
        body = search.node(i, j, body).before;
        i -= explanation[k - 1].outer_size;
        j -= explanation[k - 1].inner_size;
    }
    return i + j == 0;
}

}  // namespace

int main(int count, char** words) {
    if (count < 2 || count > 3) {
        fprintf(stderr, "Usage: fuzz_explain COUNT [SEED]\n");
        return 2;
    }
    const uint64_t wanted = strtoull(words[1], nullptr, 10);
    SeededRandom chance(count == 3 ? strtoull(words[2], nullptr, 10) : 1);
    static Explanation explanation;
    static ExhaustiveSearch search;
    Rows rows;
    uint64_t passages = 0;
    uint32_t kind = 0;
    uint32_t spacing_mm = 100;
    for (uint64_t done = 0; done < wanted; ++done) {
        if (chance.below(30) == 0) {
            constexpr uint32_t kSpacings[] = {40, 60, 100, 100, 120, 150, 200, 400, 1000};
            spacing_mm = kSpacings[chance.below(9)];
            kind = chance.below(5);
        }
        go_on(rows, chance, kind);
        const Spacing spacing(spacing_mm);
        explanation.find(rows.outer, rows.inner, spacing_mm);
        search.find(rows, spacing);
        if (!agree(explanation, search, rows)) {
            fprintf(stderr, "fuzz_explain: explanation %" PRIu64 " is not the cheapest\n", done + 1);
            return 1;
        }
        passages += explanation.size();
    }
    printf("%" PRIu64 " explanations, %" PRIu64 " passages: all the cheapest\n", wanted, passages);
    return 0;
}
