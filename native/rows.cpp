#include "rows.hpp"

#include <algorithm>
#include <cmath>

#include "threads.hpp"

namespace isthmus {
namespace {

// numpy's pairwise sum of contiguous float64 numbers: the same additions in the same order.
double pairwise_sum(const double* a, int64_t n) {
    if (n < 8) {
        double sum = 0;
        for (int64_t i = 0; i < n; ++i) sum += a[i];
        return sum;
    }
    if (n <= 128) {
        double r[8];
        for (int k = 0; k < 8; ++k) r[k] = a[k];
        int64_t i = 8;
        for (; i < n - n % 8; i += 8)
            for (int k = 0; k < 8; ++k) r[k] += a[i + k];
        double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
        for (; i < n; ++i) sum += a[i];
        return sum;
    }
    int64_t half = n / 2;
    half -= half % 8;
    return pairwise_sum(a, half) + pairwise_sum(a + half, n - half);
}

template <class T>
double peak(const T* row, int64_t d) {
    T largest = 0;
    for (int64_t k = 0; k < d; ++k) largest = std::max(largest, std::abs(row[k]));
    return static_cast<double>(largest);
}

int exponent_of(double x) {
    int exponent = 0;
    std::frexp(x, &exponent);
    return exponent;
}

}  // namespace

template <class T>
Rows<T>::Rows(const T* source, int64_t n, int64_t d, bool cosine, int threads)
    : source(source), n(n), d(d), cosine(cosine), exponent(n), divisor(n, 1.0), zero(n, 0) {
    std::vector<double> peaks(n);
    in_parallel(threads, n, 256, [&](int64_t begin, int64_t end) {
        std::vector<double> row(d);
        for (int64_t i = begin; i < end; ++i) {
            peaks[i] = peak(source + i * d, d);
            exponent[i] = exponent_of(peaks[i]);
            if (!cosine) continue;
            exact(i, row.data());
            for (double& x : row) x *= x;
            divisor[i] = std::sqrt(pairwise_sum(row.data(), d));
            zero[i] = divisor[i] == 0;
            if (zero[i]) divisor[i] = 1.0;
        }
    });
    if (!cosine) std::fill(exponent.begin(), exponent.end(), exponent_of(*std::max_element(peaks.begin(), peaks.end())));
}

template <class T>
void Rows<T>::exact(int64_t i, double* row) const {
    const T* from = source + i * d;
    const int shift = -exponent[i];
    const double by = divisor[i];
    if (shift < -1000 || shift > 1000) {  // 2^shift itself may not be a normal number
        for (int64_t k = 0; k < d; ++k) row[k] = std::ldexp(static_cast<double>(from[k]), shift) / by;
        return;
    }
    const double factor = std::ldexp(1.0, shift);
    for (int64_t k = 0; k < d; ++k) row[k] = static_cast<double>(from[k]) * factor / by;
}

template <class T>
double Rows<T>::squared_distance(const double* row, int64_t i, int64_t j, double* scratch) const {
    if (zero[i] || zero[j]) return 2.0;
    exact(j, scratch);
    for (int64_t k = 0; k < d; ++k) {
        const double difference = row[k] - scratch[k];
        scratch[k] = difference * difference;
    }
    return pairwise_sum(scratch, d);
}

template struct Rows<float>;
template struct Rows<double>;

}  // namespace isthmus
