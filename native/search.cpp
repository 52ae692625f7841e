// Nearest neighbors: nominated by approximations, decided in float64.
//
// Blocks of rows are multiplied with panels of columns. When all items are searched among themselves only panels at or right
// of the diagonal are, and each product serves its row and its column. A pair may matter if half its squared distance,
// less all that the approximation can be wrong by, reaches the k-th smallest of its row or column so far. Then its distance
// is computed exactly and offered to both. No matrix of all pairs is ever stored, and since every decision is taken in float64,
// the result does not depend on how pairs were nominated, in what order, or by how many threads.
#include "search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "near.hpp"
#include "rows.hpp"
#include "team.hpp"

namespace isthmus {
namespace {

constexpr int64_t kDepth = 128;           // units multiplied before the next tile: a slice of a panel stays in L1
constexpr int64_t kBlockRows = 196;       // rows of a block, about; a block's slice of all groups stays in L2
constexpr int64_t kWindowColumns = 512;   // columns whose tiles are unfinished at the same time; they stay in L2
constexpr size_t kBatch = 64;             // pairs that are looked at together
constexpr int64_t kPieceColumns = 16384;  // columns of a piece of work, about
constexpr int64_t kMaxByteDimensions = 60000;  // beyond, sums of products of bytes could leave 32 bits
constexpr double kRoundoff = 1.0 / (1 << 24);  // of float32
constexpr double kUnknown = -1;           // a squared distance that was not computed
constexpr int64_t kTermsAtOnce = 1 << 26;  // of float64 distances, between two looks at whether to stop
constexpr size_t kProbe = 16;             // one piece of so many and one shows whether bytes tell enough pairs apart
constexpr double kMostSurvivors = 0.25;   // share of pairs left by the filter above which they do not, and float32 is faster

// The neighbors of one row so far: unordered, thinned when full.
struct Shortlist {
    std::atomic_flag busy = ATOMIC_FLAG_INIT;
    std::atomic<bool> exact{false};  // the squared distances are exact; or float32, and all that may be among the nearest is kept
    bool thinned = false;            // while exact: the k-th entry is the k-th smallest so far, or was when others came behind it
    int32_t size = 0;
};
struct Found {
    double squared;
    int64_t item;
    bool operator<(const Found& other) const {  // in this order the smallest k are the answer
        return squared < other.squared || (squared == other.squared && item < other.item);
    }
};

template <class T>
class Search {
  public:
    Search(const Request<T>& request, int exponent, Team& team, Progress& progress)
        : asked_(request), progress_(progress), kernel_(best_kernel()), symmetric_(request.queries == nullptr),
          queries_(symmetric_ ? request.n : request.m), team_(team),
          capacity_(whole_vectors(request.k + std::max<int64_t>(6, request.k / 4))),
          items_(request.items, request.n, request.d, request.cosine, exponent, team_, kernel_.exact),
          rounding_(4.4 * kRoundoff * (request.cosine ? 1 : std::sqrt(double(request.d)))),
          cut_(queries_), limit_(queries_), last_(queries_), lists_(queries_), found_(new Found[queries_ * capacity_]),
          near_found_(new float[queries_ * capacity_]) {
        if (!symmetric_)
            other_ = std::make_unique<Rows<T>>(request.queries, queries_, request.d, request.cosine, exponent, team_,
                                               kernel_.exact);
        screened_ = items_.screened() && rows().screened();
        for (Shortlist& list : lists_) list.exact = !screened_;
        for (int64_t i = 0; i < queries_; ++i) {
            narrow_to(i, rows().zero(i) ? -INFINITY : asked_.within ? cut_at(asked_.within[i]) : INFINITY);
            last_[i].store(std::numeric_limits<int64_t>::max(), std::memory_order_relaxed);
        }
    }

    void run(int64_t* index, double* squared) {
        const bool bytes = kernel_.tile.bytes.multiply && asked_.d <= kMaxByteDimensions;
        approximate(bytes);
        narrow();
        nominate();
        if (!progress_.stop) write(index, squared);
    }

  private:
    const Rows<T>& rows() const { return symmetric_ ? items_ : *other_; }
    const Near& near_rows() const { return symmetric_ ? *near_items_ : *near_queries_; }
    const Product& product() const { return bytes_ ? kernel_.tile.bytes : kernel_.tile.floats; }

    void approximate(bool bytes) {
        bytes_ = bytes;
        near_items_.reset();
        near_queries_.reset();
        // Distances do not change when all rows move together, and those near 0 are approximated with smaller errors.
        std::vector<double> center(asked_.d, 0.0), origin(asked_.d, 0.0), y(asked_.d);
        const int64_t step = std::max<int64_t>(1, asked_.n / 1024);
        for (int64_t i = 0; i < asked_.n; i += step) {
            items_.move(i, origin.data(), y.data());
            for (int64_t p = 0; p < asked_.d; ++p) center[p] += y[p];
        }
        for (double& x : center) x /= double((asked_.n + step - 1) / step);
        near_items_ = std::make_unique<Near>(items_, center, kernel_.tile, kernel_.exact, bytes, team_);
        if (!symmetric_)
            near_queries_ = std::make_unique<Near>(*other_, center, kernel_.tile, kernel_.exact, bytes, team_);
    }

    // First cuts: the k-th nearest of some items spread over all is no nearer than the k-th nearest of all.
    void narrow() {
        const int rows = kernel_.tile.rows, columns = kernel_.tile.columns;
        // One neighbor more is asked for, since a row may be among these items itself.
        const int64_t wanted = std::min(std::max(std::clamp<int64_t>(asked_.n / 40, 256, 2048), 16 * (asked_.k + 1)), asked_.n / 4);
        std::vector<int64_t> some;
        for (int64_t i = 0; i < asked_.n && wanted > 0; i += asked_.n / wanted)
            if (!items_.zero(i)) some.push_back(i);
        some.resize(some.size() / rows * rows);
        const int64_t count = static_cast<int64_t>(some.size());
        if (count < 2 * (asked_.k + 1)) return;
        const Near::Groups groups = near_items_->groups(some, rows);
        const Near& near = near_rows();
        team_.share(near.panels(), 1, [&](int64_t panel, int64_t) {
            std::vector<float> tile(rows * columns), upper(count * columns), cut(columns);
            const Side side = near.side(panel, nullptr);
            for (int64_t g = 0; g < groups.count; ++g) {
                if (progress_.stopped()) return;
                const Side group = groups.side(g, rows, nullptr);
                for (int64_t p = 0; p < near.depth(); p += kDepth)
                    product().multiply(groups.units.data() + (g * near.depth() + p) * rows, near.panel(panel, p),
                                       std::min(kDepth, near.depth() - p), p == 0, tile.data());
                product().bound(tile.data(), group, side, upper.data() + g * rows * columns);
            }
            kernel_.tile.cut(upper.data(), count, asked_.k + 1, cut.data());
            // Those of the items that the approximation finds nearest, at least k + 1 a column, give the cut itself.
            std::vector<std::vector<double>> nearest(columns);
            for (int64_t s = 0; s < count; ++s)
                for (uint64_t hits = kernel_.tile.within(upper.data() + s * columns, cut.data()); hits; hits &= hits - 1) {
                    const int c = __builtin_ctzll(hits);
                    const int64_t i = panel * columns + c;
                    if (i < queries_) nearest[c].push_back(look(i, some[s]));
                }
            for (int c = 0; c < columns && panel * columns + c < queries_; ++c) {
                if (static_cast<int64_t>(nearest[c].size()) <= asked_.k) continue;
                std::nth_element(nearest[c].begin(), nearest[c].begin() + asked_.k, nearest[c].end());
                const int64_t i = panel * columns + c;
                narrow_to(i, std::min(cut_[i].load(std::memory_order_relaxed), cut_at(most(nearest[c][asked_.k]))));
            }
        });
    }

    struct Piece {
        int64_t begin, end;    // rows
        int64_t first, last;   // panels
    };

    void nominate() {
        const int columns = kernel_.tile.columns;
        const int64_t block = std::max<int64_t>(1, kBlockRows / kernel_.tile.rows) * kernel_.tile.rows;
        std::vector<Piece> probe, rest;
        int64_t all = 0;
        for (int64_t begin = 0; begin < queries_; begin += block) {
            const int64_t end = std::min(begin + block, queries_), panels = near_items_->panels();
            for (int64_t first = symmetric_ ? begin / columns : 0, last; first < panels; first = last) {
                last = std::min(panels, first + kPieceColumns / columns);
                (rest.size() < kProbe * probe.size() ? rest : probe).push_back({begin, end, first, last});
                all += (end - begin) * (last - first);
            }
        }
        progress_.all = all;
        const auto work = [&](const std::vector<Piece>& pieces) {
            team_.share(static_cast<int64_t>(pieces.size()), 1,
                        [&](int64_t piece, int64_t) { multiply(pieces[piece]); });
        };
        work(probe);
        if (bytes_ && !progress_.stop && double(survived_) > kMostSurvivors * double(progress_.done) * columns) approximate(false);
        work(rest);
    }

    void multiply(const Piece& piece) {
        const int rows = kernel_.tile.rows, columns = kernel_.tile.columns;
        std::vector<int64_t> block(piece.end - piece.begin);
        for (size_t r = 0; r < block.size(); ++r) block[r] = piece.begin + static_cast<int64_t>(r);
        const Near::Groups groups = near_rows().groups(block, rows);
        const int64_t depth = near_items_->depth(), window = kWindowColumns / columns, tile = rows * columns;
        const bool at_once = depth <= kDepth;  // then a tile is finished before the next is begun
        std::vector<float> tiles(at_once ? tile : window * groups.count * tile);
        std::vector<float> cut_row(groups.count * rows, -INFINITY), cut_column(window * columns, -INFINITY);
        std::vector<uint64_t> hits(rows);
        std::vector<Met> met;
        for (int64_t first = piece.first; first < piece.last; first += window) {
            if (progress_.stopped()) return;
            const int64_t last = std::min(first + window, piece.last);
            // Cuts are copied once for many tiles: older ones let a few more pairs through, never fewer.
            for (int64_t i = piece.begin; i < piece.end; ++i) cut_row[i - piece.begin] = cut_[i].load(std::memory_order_relaxed);
            if (symmetric_)
                for (int64_t j = first * columns; j < std::min(last * columns, asked_.n); ++j)
                    cut_column[j - first * columns] = cut_[j].load(std::memory_order_relaxed);
            for (int64_t p = 0; p < depth; p += kDepth)
                for (int64_t panel = first; panel < last; ++panel)
                    for (int64_t g = 0; g < groups.count; ++g) {
                        float* out = tiles.data() + (at_once ? 0 : ((panel - first) * groups.count + g) * tile);
                        product().multiply(groups.units.data() + (g * depth + p) * rows, near_items_->panel(panel, p),
                                           std::min(kDepth, depth - p), p == 0, out);
                        if (p + kDepth < depth) continue;
                        product().filter(out, groups.side(g, rows, cut_row.data() + g * rows),
                                         near_items_->side(panel, cut_column.data() + (panel - first) * columns), hits.data());
                        for (int r = 0; r < rows; ++r)
                            if (hits[r]) meet(piece.begin + g * rows + r, panel * columns, hits[r], met);
                        if (met.size() >= kBatch) decide(met);
                    }
            decide(met);
            progress_.done.fetch_add((piece.end - piece.begin) * (last - first), std::memory_order_relaxed);
        }
    }

    struct Met {
        int64_t row, item;
        double squared;
    };

    // Notes the columns of row i that may matter.
    void meet(int64_t i, int64_t column, uint64_t hits, std::vector<Met>& met) const {
        if (i >= queries_) return;
        for (; hits; hits &= hits - 1) {
            const int64_t j = column + __builtin_ctzll(hits);
            if (j >= asked_.n || (symmetric_ ? j <= i : asked_.own && asked_.own[i] == j)) continue;
            if (too_late(i, j) && (!symmetric_ || too_late(j, i))) continue;
            met.push_back({i, j, 0});
        }
    }

    // Looks at the pairs noted and offers them to the lists they may belong to. Many are looked at in a row, so that the processor
    // can begin with the next before it knows what becomes of the last.
    void decide(std::vector<Met>& met) {
        for (Met& pair : met) pair.squared = look(pair.row, pair.item);
        for (const Met& pair : met) {
            const bool row = pair.squared <= limit_[pair.row].load(std::memory_order_relaxed);
            const bool item = symmetric_ && pair.squared <= limit_[pair.item].load(std::memory_order_relaxed);
            // The exact distance is the same from both sides, to the last bit.
            double exact = screened_ ? kUnknown : pair.squared;
            if (screened_ && ((row && lists_[pair.row].exact) || (item && lists_[pair.item].exact)))
                exact = rows().squared_distance(pair.row, items_, pair.item);
            if (row) offer(pair.row, pair.item, pair.squared, exact);
            if (item) offer(pair.item, pair.row, pair.squared, exact);
        }
        survived_.fetch_add(static_cast<int64_t>(met.size()), std::memory_order_relaxed);
        met.clear();
    }

    // The squared distance of row i to item j, in float32 where that will do.
    double look(int64_t i, int64_t j) const {
        return screened_ ? rows().near_squared_distance(kernel_.tile, i, items_, j) : rows().squared_distance(i, items_, j);
    }

    int64_t whole_vectors(int64_t count) const { return (count + kernel_.tile.width - 1) / kernel_.tile.width * kernel_.tile.width; }

    // Whether the k nearest of a row are known to be at distance 0, and before this item.
    bool too_late(int64_t row, int64_t item) const { return item > last_[row].load(std::memory_order_relaxed); }

    void offer(int64_t row, int64_t item, double near, double exact) {
        Shortlist& list = lists_[row];
        while (list.busy.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
        if (list.exact && exact == kUnknown) exact = rows().squared_distance(row, items_, item);
        const Found found{list.exact ? exact : near, item};
        if (!list.thinned || found < found_[row * capacity_ + asked_.k - 1]) {
            near_found_[row * capacity_ + list.size] = static_cast<float>(found.squared);
            found_[row * capacity_ + list.size++] = found;
            if (list.size == capacity_) thin(row, list);
        }
        list.busy.clear(std::memory_order_release);
    }

    // Leaves those that may still be among the k nearest, and narrows the cut to them.
    void thin(int64_t row, Shortlist& list) {
        Found* found = found_.get() + row * capacity_;
        if (list.exact) {
            std::nth_element(found, found + asked_.k - 1, found + list.size);
            list.size = static_cast<int32_t>(asked_.k);
            list.thinned = true;
            const Found& kth = found[asked_.k - 1];
            narrow_to(row, cut_at(kth.squared));
            if (kth.squared == 0) last_[row].store(kth.item, std::memory_order_relaxed);
            return;
        }
        float* near = near_found_.get() + row * capacity_;
        std::fill(near + list.size, near + capacity_, INFINITY);
        const double exact_kth = most(kernel_.tile.kth(near, capacity_, asked_.k));
        const float limit = above(most(exact_kth));
        int32_t kept = 0;
        for (int32_t f = 0; f < list.size; ++f) {
            found[kept] = found[f];
            near[kept] = near[f];
            kept += near[f] <= limit;
        }
        list.size = kept;
        narrow_to(row, cut_at(exact_kth));
        if (2 * (list.size - asked_.k) > capacity_ - asked_.k) {  // many that float32 cannot tell apart
            make_exact(row, list);
            thin(row, list);
        }
    }

    void make_exact(int64_t row, Shortlist& list) {
        Found* found = found_.get() + row * capacity_;
        for (Found* f = found; f < found + list.size; ++f) {
            if (f + 1 < found + list.size) items_.prefetch(f[1].item);
            f->squared = rows().squared_distance(row, items_, f->item);
        }
        list.exact = true;
    }

    // The largest that a squared distance can be if its float32 value is this, or the other way round. Rows, rounded, are off by
    // 2.1 roundoffs of their length each, the sum by one for each addition that a number goes through; lengths are at most 1 under
    // cosine and, below the power of two, sqrt(d) otherwise.
    double most(double squared) const {
        if (!screened_) return squared;
        const double root = std::sqrt(std::max(squared, 0.0)) * (1 + (asked_.d + 32) * kRoundoff) + rounding_;
        return root * root;
    }

    void narrow_to(int64_t row, float cut) {
        cut_[row].store(cut, std::memory_order_relaxed);
        limit_[row].store(above(most(2.0 * cut)), std::memory_order_relaxed);
    }

    // Half of a squared distance, with room for its own rounding and that to float32.
    static float cut_at(double squared) {
        return above(squared / 2 * (1 + 1e-9));
    }

    static float above(double x) { return std::nextafter(static_cast<float>(x), INFINITY); }

    void write(int64_t* index, double* squared) {
        const int64_t piece = std::clamp<int64_t>(kTermsAtOnce / (capacity_ * asked_.d), 1, 64);
        team_.share(queries_, piece, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) {
                Found* found = found_.get() + i * capacity_;
                Shortlist& list = lists_[i];
                if (rows().zero(i)) list.exact = true, list.size = first_items(i, found);
                if (!list.exact) {
                    if (list.size > asked_.k) thin(i, list);
                    make_exact(i, list);
                }
                Found* end = found + list.size;
                if (asked_.within) end = std::partition(found, end, [&](const Found& f) { return f.squared <= asked_.within[i]; });
                const int64_t kept = std::min<int64_t>(end - found, asked_.k);
                std::sort(found, end);  // a shortlist holds few more than k
                for (int64_t q = 0; q < asked_.k; ++q) {
                    index[i * asked_.k + q] = q < kept ? found[q].item : -1;
                    squared[i * asked_.k + q] = q < kept ? found[q].squared : std::numeric_limits<double>::infinity();
                }
            }
        });
    }

    // The neighbors of a row without a direction: everything is at 2, so the first items are.
    int32_t first_items(int64_t i, Found* found) const {
        const int64_t self = symmetric_ ? i : asked_.own ? asked_.own[i] : -1;
        int32_t size = 0;
        for (int64_t j = 0; j < asked_.n && size < asked_.k; ++j)
            if (j != self) found[size++] = {2.0, j};
        return size;
    }

    const Request<T>& asked_;
    Progress& progress_;
    const Kernel kernel_;
    const bool symmetric_;
    const int64_t queries_;
    Team& team_;
    const int64_t capacity_;
    Rows<T> items_;
    std::unique_ptr<Rows<T>> other_;
    bool bytes_ = false;
    std::unique_ptr<Near> near_items_, near_queries_;
    std::atomic<int64_t> survived_{0};      // pairs that passed the filter
    const double rounding_;
    bool screened_ = false;
    std::vector<std::atomic<float>> cut_;    // what half a squared distance must not exceed to matter to a row
    std::vector<std::atomic<float>> limit_;  // what a squared distance, as looked at, must not exceed
    std::vector<std::atomic<int64_t>> last_;  // where k items are at distance 0, the last of the first k: none after it matters
    std::vector<Shortlist> lists_;
    std::unique_ptr<Found[]> found_;        // not cleared: that alone would take seconds
    std::unique_ptr<float[]> near_found_;   // the squared distances of `found_` in float32
};

}  // namespace

template <class T>
void search(const Request<T>& request, int* exponent, int64_t* index, double* squared, Progress& progress) {
    Team team(request.threads, progress);
    *exponent = 0;
    if (!request.cosine) *exponent = Rows<T>::exponent_of_all(request.items, request.n, request.d, team);
    if (!request.queries) {
        Search<T>(request, *exponent, team, progress).run(index, squared);
        return;
    }
    // Queries and their limits come in units of their own, and distances go back in them; powers of two lose no digits.
    if (!request.cosine)
        *exponent = std::max(*exponent, Rows<T>::exponent_of_all(request.queries, request.m, request.d, team));
    const int twice = 2 * *exponent;
    *exponent = 0;
    Request<T> scaled = request;
    std::vector<double> within;
    if (request.within) {
        within.assign(request.within, request.within + request.m);
        for (double& limit : within) limit = std::ldexp(limit, -twice);
        scaled.within = within.data();
    }
    Search<T>(scaled, twice / 2, team, progress).run(index, squared);
    if (!progress.stop && twice)
        team.share(request.m * request.k, 1 << 16, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; ++i) squared[i] = std::ldexp(squared[i], twice);
        });
}

template void search(const Request<float>&, int*, int64_t*, double*, Progress&);
template void search(const Request<double>&, int*, int64_t*, double*, Progress&);

}  // namespace isthmus
