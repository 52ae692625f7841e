// The inner loops, compiled once for each instruction set: products of a group of rows with a panel of columns and which of
// them may matter (tile.cpp), and the exact distance of two items (exact.cpp).
//
// Rows and columns are compared through approximations of known error. Item i, moved so that the items lie around 0, is y_i;
// its approximation is scale_i q_i with |y_i - scale_i q_i| <= error_i, both at most reach_i long. Half the squared distance is
// half_i + half_j - y_i.y_j, and by Cauchy and Schwarz y_i.y_j is at most reach_i error_j + error_i reach_j away from
// scale_i scale_j q_i.q_j. The numbers of q are float32, or signed bytes where the processor multiplies bytes. Both come in
// units of four bytes: one float32, or four bytes.
#pragma once
#include <cstdint>

namespace isthmus {

// What is known of the rows of a group, or of the columns of a panel, beside q itself.
struct Side {
    const float *scale, *error, *half, *cut;
    const int32_t* offset;  // 128 times the sum of q, for rows: what the product of bytes has too much of
    float reach;            // the largest of the group or panel
};

// One way to multiply.
struct Product {
    // tile[r][c] = (or +=, unless first) sum over depth of group[p][r] * panel[p][c], in units.
    void (*multiply)(const uint32_t* group, const uint32_t* panel, int64_t depth, bool first, float* tile);

    // For each row of a tile, a bit for each column whose half squared distance may be as small as the cut of the row or of
    // the column.
    void (*filter)(const float* tile, const Side& rows, const Side& columns, uint64_t* hits);

    // upper[r][c]: half the squared distance is at most this.
    void (*bound)(const float* tile, const Side& rows, const Side& columns, float* upper);
};

struct Tile {
    const char* name;
    int rows;       // rows of a group
    int columns;    // columns of a panel, at most 64
    int width;      // numbers of a vector
    Product floats;
    Product bytes;  // all null where the processor has no product of bytes

    // For each column of upper (rows x columns), about the smallest value that at least `count` of its numbers do not exceed,
    // never less.
    void (*cut)(const float* upper, int64_t rows, int64_t count, float* cut);

    // The k-th smallest of `count` numbers, a multiple of `width`, that are not negative; at least k of them are finite.
    float (*kth)(const float* numbers, int64_t count, int64_t k);

    // About the squared distance of scale_a a and scale_b b, in float32.
    float (*near)(const float* a, float scale_a, const float* b, float scale_b, int64_t d);

    // A bit for each column whose number in one row of upper does not exceed its cut.
    uint64_t (*within)(const float* upper, const float* cut);
};

struct Sums {
    int64_t q;
    double square, residue;
};

struct Exact {
    // Squared distance of scale_a a and scale_b b in float64, bit for bit what numpy gives for
    // ((scale_a * a - scale_b * b) ** 2).sum().
    double (*distance_float)(const float* a, double scale_a, const float* b, double scale_b, int64_t d);
    double (*distance_double)(const double* a, double scale_a, const double* b, double scale_b, int64_t d);

    // y = scale x - center. Returns the largest |y|.
    double (*move_float)(const float* x, double scale, const double* center, int64_t d, double* y);
    double (*move_double)(const double* x, double scale, const double* center, int64_t d, double* y);

    // q = y / scale, rounded. Returns the sums of q, of y^2 and of (y - scale q)^2.
    Sums (*to_bytes)(const double* y, double scale, int64_t d, int8_t* q);
    Sums (*to_floats)(const double* y, int64_t d, float* q);  // scale is 1, the sum of q is left out
};

struct Kernel {
    const Tile& tile;
    const Exact& exact;
};

// The widest kernel that this processor runs.
const Kernel& best_kernel();

}  // namespace isthmus
