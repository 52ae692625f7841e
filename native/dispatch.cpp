// Which kernel this processor runs: the widest it has, or with the environment variable ISTHMUS_KERNEL the widest up to that one.
#include <cstdlib>
#include <cstring>
#include <utility>

#include "kernel.hpp"

namespace isthmus {

extern const Tile baseline_tile;
extern const Exact baseline_exact;
#ifdef ISTHMUS_X86
extern const Tile avx2_tile, avx512_tile, avx512vnni_tile;
extern const Exact avx2_exact, avx512_exact;
#endif

const Kernel& best_kernel() {
    static const Kernel baseline = {baseline_tile, baseline_exact};
#ifdef ISTHMUS_X86
    static const Kernel avx2 = {avx2_tile, avx2_exact}, avx512 = {avx512_tile, avx512_exact},
                        avx512vnni = {avx512vnni_tile, avx512_exact};
    const char* wanted = std::getenv("ISTHMUS_KERNEL");
    __builtin_cpu_init();
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    const std::pair<const Kernel*, bool> widest_first[] = {
        {&avx512vnni, has_avx512 && __builtin_cpu_supports("avx512vnni")}, {&avx512, has_avx512}, {&avx2, has_avx2}};
    bool allowed = !wanted;
    for (const auto& [kernel, has] : widest_first) {
        allowed = allowed || !std::strcmp(wanted, kernel->tile.name);
        if (allowed && has) return *kernel;
    }
#endif
    return baseline;
}

}  // namespace isthmus
