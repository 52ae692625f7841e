#pragma once
#include <cstdint>

#include "team.hpp"

namespace isthmus {

// What is asked: the k nearest of the items of every query, or of every item among the others.
template <class T>
struct Request {
    const T* items;
    int64_t n, d;
    const T* queries = nullptr;     // null: the items themselves
    int64_t m = 0;                  // how many queries
    const int64_t* own = nullptr;   // for each query, the item that it is and that does not count, or -1
    const double* within = nullptr;  // for each query, the largest squared distance that counts
    int64_t k;
    bool cosine;
    int threads;
};

// index (queries x k): nearest first, equal squared distances in order of the item; -1 where there were fewer. squared: their
// squared distances, of rows at unit length under cosine, otherwise of rows divided by 2^exponent, which is 0 where queries are
// given; infinity with -1.
template <class T>
void search(const Request<T>& request, int* exponent, int64_t* index, double* squared, Progress& progress);

}  // namespace isthmus
