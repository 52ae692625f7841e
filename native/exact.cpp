// Items one at a time, in float64, compiled once for each instruction set, with ISTHMUS_EXACT naming the result, and
// without contraction of a * b + c, which numpy does not do either: distances must have numpy's bits.
#include "kernel.hpp"

namespace isthmus {
namespace {

constexpr int kLanes = 8;  // numpy keeps eight partial sums, whatever the processor

typedef double Doubles __attribute__((vector_size(kLanes * sizeof(double))));
template <class T>
struct Lanes;
template <>
struct Lanes<float> {
    typedef float Vector __attribute__((vector_size(kLanes * sizeof(float)), aligned(4)));
};
template <>
struct Lanes<double> {
    typedef double Vector __attribute__((vector_size(kLanes * sizeof(double)), aligned(8)));
};

template <class T>
inline Doubles load(const T* from) {
    return __builtin_convertvector(*reinterpret_cast<const typename Lanes<T>::Vector*>(from), Doubles);
}

inline double total(const Doubles& r) { return ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7])); }

// numpy's pairwise sum (numpy/_core/src/umath/loops_utils.h) of squared differences.
template <class T>
double distance(const T* a, double scale_a, const T* b, double scale_b, int64_t d) {
    if (d > 128) {
        int64_t half = d / 2;
        half -= half % kLanes;
        return distance(a, scale_a, b, scale_b, half) + distance(a + half, scale_a, b + half, scale_b, d - half);
    }
    double sum = 0;
    int64_t p = 0;
    if (d >= kLanes) {
        Doubles sums{};
        for (; p + kLanes <= d; p += kLanes) {
            const Doubles difference = scale_a * load(a + p) - scale_b * load(b + p);
            sums += difference * difference;
        }
        sum = total(sums);
    }
    for (; p < d; ++p) {
        const double difference = scale_a * a[p] - scale_b * b[p];
        sum += difference * difference;
    }
    return sum;
}

template <class T>
double move(const T* x, double scale, const double* center, int64_t d, double* y) {
    Doubles peaks{};
    int64_t p = 0;
    for (; p + kLanes <= d; p += kLanes) {
        const Doubles moved = scale * load(x + p) - load(center + p);
        *reinterpret_cast<Lanes<double>::Vector*>(y + p) = moved;
        const Doubles size = moved < 0 ? -moved : moved;
        peaks = size > peaks ? size : peaks;
    }
    double peak = 0;
    for (int lane = 0; lane < kLanes; ++lane) peak = peaks[lane] > peak ? peaks[lane] : peak;
    for (; p < d; ++p) {
        y[p] = scale * x[p] - center[p];
        const double size = y[p] < 0 ? -y[p] : y[p];
        peak = size > peak ? size : peak;
    }
    return peak;
}

Sums to_bytes(const double* y, double scale, int64_t d, int8_t* q) {
    typedef int8_t LooseBytes __attribute__((vector_size(kLanes), aligned(1)));
    constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to a whole number
    const double inverse = 1 / scale;
    Doubles sums{}, squares{}, residues{};
    int64_t p = 0;
    for (; p + kLanes <= d; p += kLanes) {
        const Doubles numbers = load(y + p), whole = (numbers * inverse + kRound) - kRound, residue = numbers - scale * whole;
        *reinterpret_cast<LooseBytes*>(q + p) = __builtin_convertvector(whole, LooseBytes);
        sums += whole;
        squares += numbers * numbers;
        residues += residue * residue;
    }
    double sum = total(sums), square = total(squares), residue = total(residues);
    for (; p < d; ++p) {
        const double whole = (y[p] * inverse + kRound) - kRound, left = y[p] - scale * whole;
        q[p] = static_cast<int8_t>(whole);
        sum += whole;
        square += y[p] * y[p];
        residue += left * left;
    }
    return {static_cast<int64_t>(sum), square, residue};
}

Sums to_floats(const double* y, int64_t d, float* q) {
    double square = 0, residue = 0;
    for (int64_t p = 0; p < d; ++p) {
        q[p] = static_cast<float>(y[p]);
        const double left = y[p] - q[p];
        square += y[p] * y[p];
        residue += left * left;
    }
    return {0, square, residue};
}

}  // namespace

extern const Exact ISTHMUS_EXACT;
const Exact ISTHMUS_EXACT = {distance<float>, distance<double>, move<float>, move<double>, to_bytes, to_floats};

}  // namespace isthmus
