// Compiled once for each instruction set, with ISTHMUS_KERNEL naming the result.
//
// A tile of kRows x kVectors vectors stays in registers while the depth runs: as many accumulators as there are
// registers, less what holds a column vector and a broadcast row value.
#include "tile.hpp"

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace isthmus {
namespace {

#if defined(__AVX512F__)
constexpr int kWidth = 16, kRows = 14, kVectors = 2;
#define ISTHMUS_NAME "avx512"
#elif defined(__AVX2__)
constexpr int kWidth = 8, kRows = 6, kVectors = 2;
#define ISTHMUS_NAME "avx2"
#else
constexpr int kWidth = 4, kRows = 6, kVectors = 2;
#define ISTHMUS_NAME "baseline"
#endif
constexpr int kColumns = kWidth * kVectors;

typedef float Vector __attribute__((vector_size(kWidth * sizeof(float))));
typedef float Loose __attribute__((vector_size(kWidth * sizeof(float)), aligned(4)));

inline Vector load(const float* from) { return *reinterpret_cast<const Loose*>(from); }
inline void store(float* to, Vector v) { *reinterpret_cast<Loose*>(to) = v; }
inline Vector spread(float x) { return x - Vector{}; }

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

void multiply(const float* group, const float* panel, int64_t depth, bool first, float* tile) {
    Vector sum[kRows][kVectors];
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) sum[r][v] = first ? Vector{} : load(tile + r * kColumns + v * kWidth);
    for (int64_t p = 0; p < depth; ++p) {
        Vector column[kVectors];
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) column[v] = load(panel + p * kColumns + v * kWidth);
#pragma GCC unroll 16
        for (int r = 0; r < kRows; ++r) {
            const Vector row = spread(group[p * kRows + r]);
#pragma GCC unroll 4
            for (int v = 0; v < kVectors; ++v) sum[r][v] += row * column[v];
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v) store(tile + r * kColumns + v * kWidth, sum[r][v]);
}

void filter(const float* tile, const float* half_row, const float* half_column, const float* cut_row,
            const float* cut_column, uint64_t* hits) {
    for (int r = 0; r < kRows; ++r) {
        const Vector half = spread(half_row[r]), cut = spread(cut_row[r]);
        uint64_t bits = 0;
        for (int v = 0; v < kVectors; ++v) {
            const Vector score = load(tile + r * kColumns + v * kWidth) - half - load(half_column + v * kWidth);
            const Vector column_cut = load(cut_column + v * kWidth);
            bits |= reaches(score, cut < column_cut ? cut : column_cut) << (v * kWidth);
        }
        hits[r] = bits;
    }
}

}  // namespace

extern const Kernel ISTHMUS_KERNEL = {ISTHMUS_NAME, kRows, kColumns, multiply, filter};

}  // namespace isthmus
