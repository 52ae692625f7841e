#pragma once
#include <atomic>
#include <cstdint>

namespace isthmus {

// What the caller sees of a running search, and how it stops one.
struct Progress {
    std::atomic<int64_t> pairs_done{0};
    std::atomic<bool> stop{false};
};

// The exact k nearest neighbors of every row among the other rows: index (n x k), nearest first, equal squared distances
// in order of the row number, and the squared distances (n x k), of rows at unit length under cosine, otherwise in units
// of 2^exponent, which is returned.
template <class T>
int search(const T* source, int64_t n, int64_t d, int64_t k, bool cosine, int threads, int64_t* index, double* squared,
           Progress& progress);

}  // namespace isthmus
