// How many neighbors two spaces share under random pairings. Most entries are shared by nobody, so each list of b has a filter
// of at least 16 bits an entry in front of it: one look tells that an item is not in the list, fifteen times of sixteen.
// Beside the lists that takes 2 q to 4 q bytes an item; nothing of size n x n is ever made.
#include "relabel.hpp"

namespace isthmus {

void shared_entries(const Relabeling& asked, int64_t* totals, Progress& progress) {
    const int64_t n = asked.n, p = asked.p, q = asked.q;
    int64_t bits = 64;
    while (bits < 16 * q) bits *= 2;
    const int64_t words = bits / 64;
    const uint32_t mask = uint32_t(bits - 1);
    std::vector<uint64_t> filters(n * words);
    for (int64_t i = 0; i < n; ++i)
        for (int64_t v = 0; v < q; ++v) {
            const uint32_t bit = uint32_t(asked.b[i * q + v]) & mask;
            filters[i * words + bit / 64] |= uint64_t(1) << (bit % 64);
        }

    Team team(asked.threads, progress);
    team.share(asked.draws, 1, [&](int64_t begin, int64_t end) {
        for (int64_t draw = begin; draw < end; ++draw) {
            const int32_t* image = asked.permutations + draw * n;
            int64_t total = 0;
            for (int64_t i = 0; i < n; ++i) {
                const int64_t row = image[i];
                const uint64_t* filter = filters.data() + row * words;
                const int32_t* list = asked.b + row * q;
                for (const int32_t *j = asked.a + i * p, *last = j + p; j < last; ++j) {
                    const int32_t wanted = image[*j];
                    const uint32_t bit = uint32_t(wanted) & mask;
                    if (!(filter[bit / 64] >> (bit % 64) & 1)) continue;
                    bool found = false;
                    for (int64_t v = 0; v < q; ++v) found |= list[v] == wanted;
                    total += found;
                }
            }
            totals[draw] = total;
            progress.done += 1;
        }
    });
}

}  // namespace isthmus
