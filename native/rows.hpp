// The items as they are compared in the end: in float64, number by number as the numpy engine does it, so that both give
// the same bytes. Compiled without contraction of a * b + c, which numpy does not do either.
#pragma once
#include <cstdint>
#include <vector>

namespace isthmus {

template <class T>
struct Rows {
    const T* source;
    int64_t n, d;
    bool cosine;
    std::vector<int> exponent;    // a row is divided by 2^exponent, exactly, so that squares stay in range
    std::vector<double> divisor;  // then by its length under cosine, by 1 under euclidean
    std::vector<char> zero;       // rows without a direction, under cosine

    Rows(const T* source, int64_t n, int64_t d, bool cosine, int threads);

    // Row i in float64, of unit length under cosine.
    void exact(int64_t i, double* row) const;

    // Squared distance of a row, as `exact` gave it, to item j; `scratch` holds d numbers.
    double squared_distance(const double* row, int64_t i, int64_t j, double* scratch) const;
};

extern template struct Rows<float>;
extern template struct Rows<double>;

}  // namespace isthmus
