// Which kernel this processor runs. The environment variable ISTHMUS_KERNEL asks for a narrower one, for tests.
#include <cstdlib>
#include <cstring>

#include "tile.hpp"

namespace isthmus {

const Kernel& best_kernel() {
#ifdef ISTHMUS_X86
    const char* wanted = std::getenv("ISTHMUS_KERNEL");
    const auto allowed = [&](const Kernel& kernel) { return !wanted || !std::strcmp(wanted, kernel.name); };
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && allowed(avx512_kernel)) return avx512_kernel;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && allowed(avx2_kernel)) return avx2_kernel;
#endif
    return baseline_kernel;
}

}  // namespace isthmus
