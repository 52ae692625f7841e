// All-pairs search: nominated in float32, decided in float64.
//
// The rows are packed once into panels of columns. Blocks of rows are multiplied with all panels at or right of the
// diagonal; each product serves its row and its column. A product becomes a candidate of a row if its score is not
// certainly below the row's k-th best so far: scores are off by at most `bound_`, so whatever falls more than twice that
// behind is out, and the rest is compared again in float64. No matrix of all pairs is ever stored.
#include "search.hpp"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <memory>
#include <vector>

#include "rows.hpp"
#include "threads.hpp"
#include "tile.hpp"

namespace isthmus {
namespace {

constexpr int64_t kDepth = 256;         // numbers of a row multiplied before the next tile: a panel slice stays in L1
constexpr int64_t kBlockRows = 196;     // rows of a block, about; a block's slice of all groups stays in L2
constexpr int64_t kBlockColumns = 512;  // columns whose tiles are unfinished at the same time; they stay in L2
constexpr double kRoundoff = 1.0 / (1 << 24);

struct Candidate {
    float score;
    int32_t item;
};

// Candidates of one row: unordered, thinned whenever they fill up.
struct Shortlist {
    std::atomic_flag busy = ATOMIC_FLAG_INIT;
    bool overflowed = false;  // more near-ties than fit: all items are candidates
    int32_t size = 0;
};

template <class T>
class Search {
  public:
    Search(const T* source, int64_t n, int64_t d, int64_t k, bool cosine, int threads, Progress& progress)
        : rows_(source, n, d, cosine, threads),
          n_(n), d_(d), k_(k), threads_(threads), progress_(progress), kernel_(best_kernel()),
          panels_((n + kernel_.columns - 1) / kernel_.columns),
          capacity_(2 * k + 96), bound_(2.2 * double(d + 16) * kRoundoff),
          packed_(panels_ * kernel_.columns * d), half_(panels_ * kernel_.columns + kernel_.rows, INFINITY),
          cut_(n), lists_(n), candidates_(n * capacity_) {
        for (auto& cut : cut_) cut.store(-FLT_MAX, std::memory_order_relaxed);
    }

    int run(int64_t* index, double* squared) {
        pack();
        nominate();
        if (!progress_.stop) decide(index, squared);
        return rows_.cosine ? 0 : rows_.exponent[0];
    }

  private:
    // Rows divided by the longest one (cosine: of unit length), around their mean, in panels: [panel][depth][column].
    void pack() {
        std::vector<double> center(d_, 0.0);
        double longest = 1.0;
        if (!rows_.cosine) {
            // Distances do not change when all rows move together, and rows near 0 lose fewer digits in float32.
            std::vector<double> row(d_);
            const int64_t step = std::max<int64_t>(1, n_ / 1024);
            int64_t taken = 0;
            for (int64_t i = 0; i < n_; i += step, ++taken) {
                rows_.exact(i, row.data());
                for (int64_t p = 0; p < d_; ++p) center[p] += row[p];
            }
            for (double& x : center) x /= double(taken);
            std::vector<double> length(n_);
            in_parallel(threads_, n_, 256, [&](int64_t begin, int64_t end) {
                std::vector<double> mine(d_);
                for (int64_t i = begin; i < end; ++i) {
                    rows_.exact(i, mine.data());
                    double sum = 0;
                    for (int64_t p = 0; p < d_; ++p) sum += (mine[p] - center[p]) * (mine[p] - center[p]);
                    length[i] = std::sqrt(sum);
                }
            });
            longest = *std::max_element(length.begin(), length.end());
            if (longest == 0) longest = 1.0;
        }
        const int columns = kernel_.columns;
        in_parallel(threads_, panels_, 4, [&](int64_t begin, int64_t end) {
            std::vector<double> row(d_);
            for (int64_t panel = begin; panel < end; ++panel) {
                float* to = packed_.data() + panel * columns * d_;
                for (int c = 0; c < columns; ++c) {
                    const int64_t i = panel * columns + c;
                    if (i >= n_) {
                        for (int64_t p = 0; p < d_; ++p) to[p * columns + c] = 0;
                        continue;
                    }
                    rows_.exact(i, row.data());
                    double square = 0;
                    for (int64_t p = 0; p < d_; ++p) {
                        const float x = static_cast<float>((row[p] - center[p]) / longest);
                        to[p * columns + c] = x;
                        square += double(x) * x;
                    }
                    // Half the squared length: a score is minus half the squared distance. A zero row under cosine has
                    // product 0 with all; counted as of length 1 it stands at squared distance 2 from all.
                    half_[i] = rows_.cosine ? 0.5f : static_cast<float>(square / 2);
                }
            }
        });
    }

    void nominate() {
        const int64_t groups = std::max<int64_t>(1, kBlockRows / kernel_.rows), block_rows = groups * kernel_.rows;
        in_parallel(threads_, (n_ + block_rows - 1) / block_rows, 1, [&](int64_t block, int64_t) {
            const int64_t begin = block * block_rows, end = std::min(begin + block_rows, n_);
            multiply_block(begin, end);
        });
    }

    // All tiles of the rows begin..end with the columns from begin on.
    void multiply_block(int64_t begin, int64_t end) {
        const int rows = kernel_.rows, columns = kernel_.columns;
        const int64_t groups = (end - begin + rows - 1) / rows, slices = (d_ + kDepth - 1) / kDepth;
        std::vector<float> grouped = group_rows(begin, groups);
        const int64_t panels_at_once = std::max<int64_t>(1, kBlockColumns / columns), tile = rows * columns;
        std::vector<float> tiles(panels_at_once * groups * tile);
        std::vector<float> cut_row(groups * rows, FLT_MAX), cut_column(panels_at_once * columns);
        std::vector<uint64_t> hits(rows);
        for (int64_t first = begin / columns; first < panels_; first += panels_at_once) {
            if (progress_.stop.load(std::memory_order_relaxed)) return;
            const int64_t last = std::min(first + panels_at_once, panels_);
            // Cuts are copied once for many tiles: older ones let a few more candidates through, never fewer.
            for (int64_t i = begin; i < end; ++i) cut_row[i - begin] = cut_[i].load(std::memory_order_relaxed);
            for (int64_t j = first * columns; j < last * columns; ++j)
                cut_column[j - first * columns] = j < n_ ? cut_[j].load(std::memory_order_relaxed) : FLT_MAX;
            for (int64_t slice = 0; slice < slices; ++slice) {
                const int64_t p = slice * kDepth, depth = std::min(kDepth, d_ - p);
                for (int64_t panel = first; panel < last; ++panel)
                    for (int64_t g = 0; g < groups; ++g) {
                        float* out = tiles.data() + ((panel - first) * groups + g) * tile;
                        kernel_.multiply(grouped.data() + (g * d_ + p) * rows,
                                         packed_.data() + (panel * d_ + p) * columns, depth, slice == 0, out);
                        if (slice + 1 < slices) continue;
                        kernel_.filter(out, half_.data() + begin + g * rows, half_.data() + panel * columns,
                                       cut_row.data() + g * rows, cut_column.data() + (panel - first) * columns,
                                       hits.data());
                        for (int r = 0; r < rows; ++r)
                            if (hits[r]) nominate_row(begin + g * rows + r, panel, hits[r], out + r * columns);
                    }
            }
            progress_.pairs_done.fetch_add((end - begin) * (last - first) * columns, std::memory_order_relaxed);
        }
    }

    // The rows of a block in groups: [group][depth][row].
    std::vector<float> group_rows(int64_t begin, int64_t groups) const {
        const int rows = kernel_.rows, columns = kernel_.columns;
        std::vector<float> grouped(groups * d_ * rows, 0.0f);
        for (int64_t i = begin; i < std::min(begin + groups * rows, n_); ++i) {
            const float* from = packed_.data() + (i / columns) * columns * d_ + i % columns;
            float* to = grouped.data() + (i - begin) / rows * d_ * rows + (i - begin) % rows;
            for (int64_t p = 0; p < d_; ++p) to[p * rows] = from[p * columns];
        }
        return grouped;
    }

    void nominate_row(int64_t i, int64_t panel, uint64_t hits, const float* products) {
        if (i >= n_) return;
        for (; hits; hits &= hits - 1) {
            const int c = __builtin_ctzll(hits);
            const int64_t j = panel * kernel_.columns + c;
            if (j <= i || j >= n_) continue;  // left of the diagonal the pair is met as (j, i)
            const float score = products[c] - half_[i] - half_[j];
            add(i, score, j);
            add(j, score, i);
        }
    }

    void add(int64_t row, float score, int64_t item) {
        if (score < cut_[row].load(std::memory_order_relaxed)) return;
        Shortlist& list = lists_[row];
        while (list.busy.test_and_set(std::memory_order_acquire)) {
        }
        if (!list.overflowed) {
            Candidate* candidates = candidates_.data() + row * capacity_;
            candidates[list.size++] = {score, static_cast<int32_t>(item)};
            if (list.size == capacity_) thin(row, list, candidates);
        }
        list.busy.clear(std::memory_order_release);
    }

    void thin(int64_t row, Shortlist& list, Candidate* candidates) {
        const auto better = [](const Candidate& a, const Candidate& b) { return a.score > b.score; };
        std::nth_element(candidates, candidates + k_ - 1, candidates + list.size, better);
        const float cut = certain_cut(candidates[k_ - 1].score);
        Candidate* end = std::partition(candidates + k_, candidates + list.size,
                                        [&](const Candidate& c) { return c.score >= cut; });
        list.size = static_cast<int32_t>(end - candidates);
        cut_[row].store(cut, std::memory_order_relaxed);
        if (list.size > capacity_ - 8) list.overflowed = true, cut_[row].store(FLT_MAX, std::memory_order_relaxed);
    }

    // The largest float32 score that is certainly behind an item whose float32 score is the k-th best.
    float certain_cut(float kth) const {
        return std::nextafter(static_cast<float>(double(kth) - 2 * bound_), -FLT_MAX);
    }

    void decide(int64_t* index, double* squared) {
        in_parallel(threads_, n_, 64, [&](int64_t begin, int64_t end) {
            std::vector<double> row(d_), scratch(d_);
            std::vector<std::pair<double, int64_t>> found;
            for (int64_t i = begin; i < end && !progress_.stop.load(std::memory_order_relaxed); ++i) {
                found.clear();
                rows_.exact(i, row.data());
                const auto consider = [&](int64_t j) {
                    found.emplace_back(rows_.squared_distance(row.data(), i, j, scratch.data()), j);
                };
                if (lists_[i].overflowed) {
                    for (int64_t j = 0; j < n_; ++j)
                        if (j != i) consider(j);
                } else {
                    Candidate* candidates = candidates_.data() + i * capacity_;
                    const Candidate* last = candidates + lists_[i].size;
                    std::nth_element(candidates, candidates + k_ - 1, candidates + lists_[i].size,
                                     [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
                    const float cut = certain_cut(candidates[k_ - 1].score);
                    for (const Candidate* c = candidates; c < last; ++c)
                        if (c->score >= cut) consider(c->item);
                }
                std::partial_sort(found.begin(), found.begin() + k_, found.end());
                for (int64_t q = 0; q < k_; ++q) {
                    squared[i * k_ + q] = found[q].first;
                    index[i * k_ + q] = found[q].second;
                }
            }
        });
    }

    Rows<T> rows_;
    const int64_t n_, d_, k_;
    const int threads_;
    Progress& progress_;
    const Kernel& kernel_;
    const int64_t panels_, capacity_;
    const double bound_;  // on the error of a float32 score; docs/neighbors.md says why
    std::vector<float> packed_, half_;
    std::vector<std::atomic<float>> cut_;
    std::vector<Shortlist> lists_;
    std::vector<Candidate> candidates_;
};

}  // namespace

template <class T>
int search(const T* source, int64_t n, int64_t d, int64_t k, bool cosine, int threads, int64_t* index, double* squared,
           Progress& progress) {
    return Search<T>(source, n, d, k, cosine, threads, progress).run(index, squared);
}

template int search(const float*, int64_t, int64_t, int64_t, bool, int, int64_t*, double*, Progress&);
template int search(const double*, int64_t, int64_t, int64_t, bool, int, int64_t*, double*, Progress&);

}  // namespace isthmus
