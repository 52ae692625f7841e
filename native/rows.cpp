#include "rows.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>

#include "team.hpp"

namespace isthmus {
namespace {

constexpr int kNone = -5000;  // of zeros: below the exponent of any number

// A power of two above the size of all these numbers.
template <class T>
int exponent_of(const T* row, int64_t d) {
    T largest = 0;
    for (int64_t p = 0; p < d; ++p) largest = std::max(largest, std::abs(row[p]));
    if (largest == 0) return kNone;
    int exponent = 0;
    std::frexp(static_cast<double>(largest), &exponent);
    return exponent;
}

}  // namespace

template <class T>
int Rows<T>::exponent_of_all(const T* source, int64_t n, int64_t d, Team& team) {
    std::atomic<int> largest{kNone};
    team.share(n, 1024, [&](int64_t begin, int64_t end) {
        const int mine = exponent_of(source + begin * d, (end - begin) * d);
        for (int seen = largest; mine > seen && !largest.compare_exchange_weak(seen, mine);) {
        }
    });
    return largest == kNone ? 0 : largest.load();
}

template <class T>
Rows<T>::Rows(const T* source, int64_t n, int64_t d, bool cosine, int exponent, Team& team, const Exact& exact)
    : source_(source), n_(n), d_(d), scale_(n) {
    if constexpr (std::is_same_v<T, float>) {
        distance_ = exact.distance_float, move_ = exact.move_float;
    } else {
        distance_ = exact.distance_double, move_ = exact.move_double;
    }
    std::vector<int> shift(n, -exponent);
    std::atomic<bool> extreme{std::abs(exponent) > 900};
    if (cosine)
        team.share(n, 256, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                const int own = exponent_of(source + i * d, d);
                shift[i] = own == kNone ? 0 : -own;
                if (std::abs(shift[i]) > 900) extreme = true;
            }
        });
    if (extreme) {  // only float64 reaches so far
        rescaled_.resize(n * d);
        team.share(n, 256, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                for (int64_t p = 0; p < d; ++p) rescaled_[i * d + p] = static_cast<T>(std::ldexp(row(i)[p], shift[i]));
                shift[i] = 0;
            }
        });
        source_ = rescaled_.data();
    }
    team.share(n, 256, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            scale_[i] = std::ldexp(1.0, shift[i]);
            if (!cosine) continue;
            const double length = std::sqrt(distance_(row(i), scale_[i], row(i), 0.0, d));
            scale_[i] = length == 0 ? 0 : scale_[i] * (1 / length);
        }
    });
    for (double scale : scale_)
        if (scale != 0 && !(scale > 1e-30 && scale < 1e30)) screened_ = false;
}

template class Rows<float>;
template class Rows<double>;

}  // namespace isthmus
