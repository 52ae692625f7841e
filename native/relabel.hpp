#pragma once
#include <cstdint>

#include "team.hpp"

namespace isthmus {

// Neighbor lists of n items in two spaces, and permutations of the items, all row after row.
struct Relabeling {
    const int32_t *a, *b;  // n x p, n x q
    int64_t n, p, q;
    const int32_t* permutations;  // draws x n
    int64_t draws;
    int threads;
};

// totals (draws): over all items i, how many entries j of row i of a have pi(j) in row pi(i) of b.
void shared_entries(const Relabeling& asked, int64_t* totals, Progress& progress);

}  // namespace isthmus
