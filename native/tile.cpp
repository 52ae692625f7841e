// Tiles of products, compiled once for each instruction set, with ISTHMUS_TILE naming the result.
//
// A tile of kRows x kVectors vectors stays in registers while the depth runs: as many accumulators as there are
// registers, less what holds a column vector and a broadcast row value.
#include "kernel.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace isthmus {
namespace {

#if defined(__AVX512F__)
constexpr int kWidth = 16, kRows = 14, kVectors = 2;
#elif defined(__AVX2__)
constexpr int kWidth = 8, kRows = 6, kVectors = 2;
#else
constexpr int kWidth = 4, kRows = 6, kVectors = 2;
#endif
constexpr int kColumns = kWidth * kVectors;

typedef float Vector __attribute__((vector_size(kWidth * sizeof(float))));
typedef float LooseVector __attribute__((vector_size(kWidth * sizeof(float)), aligned(4), may_alias));
typedef int32_t Integers __attribute__((vector_size(kWidth * sizeof(float))));
typedef int32_t LooseIntegers __attribute__((vector_size(kWidth * sizeof(float)), aligned(4), may_alias));

inline Vector load(const float* from) { return *reinterpret_cast<const LooseVector*>(from); }
inline void store(float* to, Vector v) { *reinterpret_cast<LooseVector*>(to) = v; }
inline Vector spread(float x) { return x - Vector{}; }
inline Vector lesser(Vector a, Vector b) { return a < b ? a : b; }
inline Vector greater(Vector a, Vector b) { return a > b ? a : b; }

// One bit for each lane in which a >= b.
inline uint64_t reaches(Vector a, Vector b) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
#elif defined(__AVX2__)
    return static_cast<uint32_t>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GE_OQ)));
#elif defined(__x86_64__) || defined(_M_X64)
    return static_cast<uint32_t>(_mm_movemask_ps(_mm_cmpge_ps(a, b)));
#else
    uint64_t bits = 0;
    for (int lane = 0; lane < kWidth; ++lane) bits |= uint64_t(a[lane] >= b[lane]) << lane;
    return bits;
#endif
}

// Over the lanes.
#if defined(__AVX512F__)
inline float sum_of(Vector v) { return _mm512_reduce_add_ps(v); }
inline float least_of(Vector v) { return _mm512_reduce_min_ps(v); }
inline float greatest_of(Vector v) { return _mm512_reduce_max_ps(v); }
#else
template <class Join>
inline float joined(Vector v, Join join) {
    float lane[kWidth];
    store(lane, v);
    for (int half = kWidth / 2; half; half /= 2)
        for (int l = 0; l < half; ++l) lane[l] = join(lane[l], lane[l + half]);
    return lane[0];
}
inline float sum_of(Vector v) {
    return joined(v, [](float a, float b) { return a + b; });
}
inline float least_of(Vector v) {
    return joined(v, [](float a, float b) { return a < b ? a : b; });
}
inline float greatest_of(Vector v) {
    return joined(v, [](float a, float b) { return a > b ? a : b; });
}
#endif

struct Floats {
    typedef Vector Sum;
    typedef LooseVector LooseSum;
    static Sum column(const uint32_t* from) { return load(reinterpret_cast<const float*>(from)); }
    static Sum row(uint32_t unit) {
        float x;
        __builtin_memcpy(&x, &unit, sizeof x);
        return spread(x);
    }
    static Sum step(Sum sum, Sum row, Sum column) { return sum + row * column; }
    static Vector value(Sum sum, int32_t) { return sum; }
};

#ifdef __AVX512VNNI__
// Columns hold q + 128, since the instruction multiplies unsigned with signed bytes; `offset` takes the surplus away again.
struct Bytes {
    typedef Integers Sum;
    typedef LooseIntegers LooseSum;
    static Sum column(const uint32_t* from) { return *reinterpret_cast<const LooseIntegers*>(from); }
    static Sum row(uint32_t unit) { return static_cast<int32_t>(unit) - Integers{}; }
    static Sum step(Sum sum, Sum row, Sum column) {
        return (Integers)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)column, (__m512i)row);
    }
    static Vector value(Sum sum, int32_t offset) { return __builtin_convertvector(sum - offset, Vector); }
};
#endif

template <class Of>
inline typename Of::LooseSum& sum_at(float* tile, int r, int v) {
    return *reinterpret_cast<typename Of::LooseSum*>(tile + r * kColumns + v * kWidth);
}

template <class Of>
void multiply(const uint32_t* group, const uint32_t* panel, int64_t depth, bool first, float* tile) {
    typename Of::Sum sum[kRows][kVectors];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) sum[r][v] = first ? typename Of::Sum{} : sum_at<Of>(tile, r, v);
    for (int64_t p = 0; p < depth; ++p) {
        typename Of::Sum column[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) column[v] = Of::column(panel + p * kColumns + v * kWidth);
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
            const typename Of::Sum row = Of::row(group[p * kRows + r]);
#pragma GCC unroll 4
            for (int v = 0; v < kVectors; ++v) sum[r][v] = Of::step(sum[r][v], row, column[v]);
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) sum_at<Of>(tile, r, v) = sum[r][v];
}

// At least y_i.y_j - half_j for the columns j, less what the error of row i adds.
template <class Of>
inline Vector score(const float* tile, const Side& rows, const Side& columns, const Vector* column_part, int r, int v) {
    const Vector product = Of::value(sum_at<Of>(const_cast<float*>(tile), r, v), rows.offset[r]);
    return product * load(columns.scale + v * kWidth) * spread(rows.scale[r]) + column_part[v];
}

template <class Of>
void filter(const float* tile, const Side& rows, const Side& columns, uint64_t* hits) {
    Vector column_part[kVectors];
    for (int v = 0; v < kVectors; ++v)
        column_part[v] = rows.reach * load(columns.error + v * kWidth) - load(columns.half + v * kWidth);
    for (int r = 0; r < kRows; ++r) {
        const Vector needed = spread(rows.half[r] - rows.error[r] * columns.reach);
        const Vector needed_by_row = needed - rows.cut[r];
        uint64_t bits = 0;
        for (int v = 0; v < kVectors; ++v) {
            const Vector least = lesser(needed_by_row, needed - load(columns.cut + v * kWidth));
            bits |= reaches(score<Of>(tile, rows, columns, column_part, r, v), least) << (v * kWidth);
        }
        hits[r] = bits;
    }
}

template <class Of>
void bound(const float* tile, const Side& rows, const Side& columns, float* upper) {
    constexpr float kAbove = 1 + 1.0f / (1 << 16);  // halves are stored a little too small, for the filter
    Vector column_part[kVectors];
    for (int v = 0; v < kVectors; ++v)
        column_part[v] = -rows.reach * load(columns.error + v * kWidth) - kAbove * load(columns.half + v * kWidth);
    for (int r = 0; r < kRows; ++r)
        for (int v = 0; v < kVectors; ++v)
            store(upper + r * kColumns + v * kWidth,
                  rows.half[r] * kAbove + rows.error[r] * columns.reach + 1e-35f -
                      score<Of>(tile, rows, columns, column_part, r, v));
}

void cut(const float* upper, int64_t rows, int64_t count, float* out) {
    for (int v = 0; v < kVectors; ++v) {
        const float* from = upper + v * kWidth;
        Vector low = load(from), high = low;
        for (int64_t r = 1; r < rows; ++r) {
            const Vector x = load(from + r * kColumns);
            low = lesser(low, x);
            high = greater(high, x);
        }
        const Integers needed = static_cast<int32_t>(count) - Integers{};
        for (int step = 0; step < 12; ++step) {
            const Vector middle = low + (high - low) * 0.5f;
            Integers counted{};
            for (int64_t r = 0; r < rows; ++r) counted -= load(from + r * kColumns) <= middle;  // true is -1
            const Integers enough = counted >= needed;
            high = enough ? middle : high;
            low = enough ? low : middle;
        }
        store(out + v * kWidth, high);
    }
}

// By halving the range of their bits, which are in the order of the numbers; it ends as soon as just k are not above the middle.
float kth(const float* numbers, int64_t count, int64_t k) {
    Vector least = load(numbers), most{};
    for (int64_t p = 0; p < count; p += kWidth) {
        const Vector x = load(numbers + p);
        least = lesser(least, x);
        most = greater(most, x < __builtin_inff() ? x : Vector{});
    }
    const float low = least_of(least), high = greatest_of(most);
    uint32_t below, above;  // fewer than k are less than `below`; at least k are at most `above`
    __builtin_memcpy(&below, &low, sizeof low);
    __builtin_memcpy(&above, &high, sizeof high);
    while (below < above) {
        const uint32_t middle = below + (above - below) / 2;
        float at;
        __builtin_memcpy(&at, &middle, sizeof at);
        int64_t counted = 0;
        for (int64_t p = 0; p < count; p += kWidth) counted += __builtin_popcountll(reaches(spread(at), load(numbers + p)));
        if (counted >= k) above = middle;
        if (counted == k) break;
        if (counted < k) below = middle + 1;
    }
    float at;
    __builtin_memcpy(&at, &above, sizeof at);
    Vector largest = spread(low);
    for (int64_t p = 0; p < count; p += kWidth) {
        const Vector x = load(numbers + p);
        largest = greater(largest, x <= spread(at) ? x : largest);
    }
    return greatest_of(largest);
}

float near(const float* a, float scale_a, const float* b, float scale_b, int64_t d) {
    Vector sum[2]{};
    int64_t p = 0;
    for (; p + 2 * kWidth <= d; p += 2 * kWidth)
#pragma GCC unroll 2
        for (int v = 0; v < 2; ++v) {
            const Vector difference = scale_a * load(a + p + v * kWidth) - scale_b * load(b + p + v * kWidth);
            sum[v] += difference * difference;
        }
    float total = sum_of(sum[0] + sum[1]);
    for (; p < d; ++p) {
        const float difference = scale_a * a[p] - scale_b * b[p];
        total += difference * difference;
    }
    return total;
}

uint64_t within(const float* upper, const float* limit) {
    uint64_t bits = 0;
    for (int v = 0; v < kVectors; ++v) bits |= reaches(load(limit + v * kWidth), load(upper + v * kWidth)) << (v * kWidth);
    return bits;
}

}  // namespace

#ifdef __AVX512VNNI__
constexpr Product kBytes = {multiply<Bytes>, filter<Bytes>, bound<Bytes>};
#else
constexpr Product kBytes = {nullptr, nullptr, nullptr};
#endif
#define ISTHMUS_TEXT(name) ISTHMUS_QUOTE(name)
#define ISTHMUS_QUOTE(name) #name
extern const Tile ISTHMUS_TILE;
const Tile ISTHMUS_TILE = {ISTHMUS_TEXT(ISTHMUS_NAME), kRows, kColumns, kWidth, {multiply<Floats>, filter<Floats>, bound<Floats>},
                           kBytes, cut, kth, near, within};

}  // namespace isthmus
