// The inner loop, once for each instruction set: products of a group of rows with a panel of columns, and which of
// them may matter.
#pragma once
#include <cstdint>

namespace isthmus {

struct Kernel {
    const char* name;
    int rows;     // rows of a group
    int columns;  // columns of a panel, at most 64

    // tile[r][c] = (or +=, unless first) sum over depth of group[p][r] * panel[p][c]
    void (*multiply)(const float* group, const float* panel, int64_t depth, bool first, float* tile);

    // For each row of a tile, a bit for each column whose score, tile[r][c] - half_row[r] - half_column[c], reaches
    // min(cut_row[r], cut_column[c]).
    void (*filter)(const float* tile, const float* half_row, const float* half_column, const float* cut_row,
                   const float* cut_column, uint64_t* hits);
};

// The widest kernel that this processor runs.
const Kernel& best_kernel();

extern const Kernel baseline_kernel;
#ifdef ISTHMUS_X86
extern const Kernel avx2_kernel;
extern const Kernel avx512_kernel;
#endif

}  // namespace isthmus
