// Which kernel this processor runs. The environment variable ISTHMUS_KERNEL asks for a narrower one, for tests.
#include <cstdlib>
#include <cstring>

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
    const auto allowed = [&](const Kernel& kernel) { return !wanted || !std::strcmp(wanted, kernel.tile.name); };
    __builtin_cpu_init();
    const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool has_avx512 = has_avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    if (has_avx512 && __builtin_cpu_supports("avx512vnni") && allowed(avx512vnni)) return avx512vnni;
    if (has_avx512 && allowed(avx512)) return avx512;
    if (has_avx2 && allowed(avx2)) return avx2;
#endif
    return baseline;
}

}  // namespace isthmus
