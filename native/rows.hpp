// The items as they are compared in the end: in float64, number by number as the numpy engine does it, so that both give
// the same bytes.
#pragma once
#include <cstdint>
#include <type_traits>
#include <vector>

#include "kernel.hpp"

namespace isthmus {

class Team;

template <class T>
class Rows {
  public:
    // With `exponent`, euclidean numbers are divided by 2^exponent, exactly; under cosine every row by a power of its own.
    Rows(const T* source, int64_t n, int64_t d, bool cosine, int exponent, Team& team, const Exact& exact);

    // A power of two above all numbers.
    static int exponent_of_all(const T* source, int64_t n, int64_t d, Team& team);

    int64_t size() const { return n_; }
    bool zero(int64_t i) const { return scale_[i] == 0; }  // no direction, under cosine

    // Squared distance of item i to item j of another set of rows; 2 where one has no direction.
    double squared_distance(int64_t i, const Rows& other, int64_t j) const {
        if (zero(i) || other.zero(j)) return 2.0;
        return distance_(row(i), scale_[i], other.row(j), other.scale_[j], d_);
    }

    // About the same in float32, where float32 can hold what rows are multiplied by; see `screened`.
    float near_squared_distance(const Tile& tile, int64_t i, const Rows& other, int64_t j) const {
        if (zero(i) || other.zero(j)) return 2.0f;
        if constexpr (std::is_same_v<T, float>)
            return tile.near(row(i), static_cast<float>(scale_[i]), other.row(j), static_cast<float>(other.scale_[j]), d_);
        return 0;
    }
    bool screened() const { return screened_; }

    // y = row i - center, of unit length before under cosine. Returns the largest |y|.
    double move(int64_t i, const double* center, double* y) const { return move_(row(i), scale_[i], center, d_, y); }

    void prefetch(int64_t i) const {
        for (const char* line = reinterpret_cast<const char*>(row(i)); line < reinterpret_cast<const char*>(row(i + 1)); line += 64)
            __builtin_prefetch(line);
    }

  private:
    const T* row(int64_t i) const { return source_ + i * d_; }

    const T* source_;
    int64_t n_, d_;
    std::vector<double> scale_;  // what a row is multiplied by; 0 for rows without a direction
    bool screened_ = std::is_same_v<T, float>;
    std::vector<T> rescaled_;    // the rows again, where a power of two alone would leave the range of numbers
    double (*distance_)(const T*, double, const T*, double, int64_t);
    double (*move_)(const T*, double, const double*, int64_t, double*);
};

}  // namespace isthmus
