// The search against a slow and obvious one: all distances, one sort, ties by the lower item. Its sums are numpy's, written
// down once more, so that tables must agree to the last bit; that they are distances at all is held against long double.
// Every set that is hard for the search, under both metrics, with every instruction set that the processor has.
#include "search.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kernel.hpp"
#include "relabel.hpp"

namespace {

using Found = std::pair<double, int64_t>;  // squared distance, item
constexpr double kFar = std::numeric_limits<double>::infinity();
constexpr int64_t kUntouched = -7;

int passed = 0, failed = 0;

void expect(bool holds, const std::string& what) {
    ++(holds ? passed : failed);
    if (!holds) std::printf("FAILED: %s\n", what.c_str());
}

std::vector<std::string> kernels() {
    std::vector<std::string> there;
    for (const char* name : {"avx512vnni", "avx512", "avx2", "baseline"}) {
        setenv("ISTHMUS_KERNEL", name, 1);
        if (std::string(isthmus::best_kernel().tile.name) == name) there.push_back(name);
    }
    return there;
}

// numpy's pairwise sum.
double sum(const double* a, int64_t n) {
    if (n > 128) {
        const int64_t half = n / 2 - n / 2 % 8;
        return sum(a, half) + sum(a + half, n - half);
    }
    double total = 0;
    int64_t i = 0;
    if (n >= 8) {
        double r[8] = {};
        for (; i + 8 <= n; i += 8)
            for (int lane = 0; lane < 8; ++lane) r[lane] += a[i + lane];
        total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    }
    for (; i < n; ++i) total += a[i];
    return total;
}

template <class T>
struct Set {
    int64_t n, d;
    std::vector<T> numbers;
    const T* row(int64_t i) const { return numbers.data() + i * d; }
};

template <class T>
Set<T> make(int64_t n, int64_t d, const std::function<double(int64_t, int64_t)>& number) {
    Set<T> set{n, d, std::vector<T>(n * d)};
    for (int64_t i = 0; i < n; ++i)
        for (int64_t p = 0; p < d; ++p) set.numbers[i * d + p] = static_cast<T>(number(i, p));
    return set;
}

// A power of two above all numbers.
template <class T>
int exponent_of(const Set<T>& set) {
    double peak = 0;
    for (const T x : set.numbers) peak = std::max(peak, std::abs(double(x)));
    int exponent = 0;
    std::frexp(peak, &exponent);
    return exponent;
}

// Rows as they are compared: divided by a power of two, of unit length under cosine; empty without a direction.
template <class Number, class T>
std::vector<std::vector<Number>> rows_of(const Set<T>& set, bool cosine, int exponent) {
    std::vector<std::vector<Number>> rows(set.n, std::vector<Number>(set.d));
    for (int64_t i = 0; i < set.n; ++i) {
        int shift = exponent;
        if (cosine) {
            double peak = 0;
            for (int64_t p = 0; p < set.d; ++p) peak = std::max(peak, std::abs(double(set.row(i)[p])));
            std::frexp(peak, &shift);
        }
        for (int64_t p = 0; p < set.d; ++p) rows[i][p] = std::ldexp(Number(set.row(i)[p]), -shift);
        if (!cosine) continue;
        Number length = 0;
        if constexpr (std::is_same_v<Number, double>) {
            std::vector<double> squares(set.d);
            for (int64_t p = 0; p < set.d; ++p) squares[p] = rows[i][p] * rows[i][p];
            length = std::sqrt(sum(squares.data(), set.d));
            for (double& x : rows[i]) x *= 1 / length;
        } else {
            for (const Number x : rows[i]) length += x * x;
            length = std::sqrt(length);
            for (Number& x : rows[i]) x /= length;
        }
        if (length == 0) rows[i].clear();
    }
    return rows;
}

// All squared distances of every query, sorted.
template <class T>
std::vector<std::vector<Found>> oracle(const Set<T>& queries, const Set<T>& items, bool cosine, int exponent,
                                       const std::string& what) {
    const auto from = rows_of<double>(queries, cosine, exponent), to = rows_of<double>(items, cosine, exponent);
    const auto true_from = rows_of<long double>(queries, cosine, exponent);
    const auto true_to = rows_of<long double>(items, cosine, exponent);
    std::vector<std::vector<Found>> found(queries.n);
    std::vector<double> squares(items.d);
    constexpr double kMargin = 64 * std::numeric_limits<double>::epsilon();  // of a distance, and of a unit row
    bool close = true;
    for (int64_t i = 0; i < queries.n; ++i) {
        for (int64_t j = 0; j < items.n; ++j) {
            if (from[i].empty() || to[j].empty()) {
                found[i].emplace_back(2.0, j);
                continue;
            }
            long double truth = 0;
            for (int64_t p = 0; p < items.d; ++p) {
                const double difference = from[i][p] - to[j][p];
                const long double true_difference = true_from[i][p] - true_to[j][p];
                squares[p] = difference * difference;
                truth += true_difference * true_difference;
            }
            const double squared = sum(squares.data(), items.d);
            const long double root = std::sqrt(truth);
            close = close && std::abs(std::sqrt((long double)squared) - root) <= kMargin * (root + cosine);
            found[i].emplace_back(squared, j);
        }
        std::sort(found[i].begin(), found[i].end());
    }
    expect(close, what + ": float64 is near the truth");
    return found;
}

// Whether a row of the table is the first k of what was found, without the item itself and what is too far. What comes back is
// 2^twice of what the oracle says.
bool same(const int64_t* index, const double* squared, int64_t k, const std::vector<Found>& found, int64_t own,
          double within, int twice) {
    int64_t q = 0;
    for (const Found& f : found) {
        if (q == k) break;
        if (f.second == own || f.first > within) continue;
        if (index[q] != f.second || squared[q] != std::ldexp(f.first, twice)) return false;
        ++q;
    }
    for (; q < k; ++q)
        if (index[q] != -1 || squared[q] != kFar) return false;
    return true;
}

template <class T>
isthmus::Request<T> ask(const Set<T>& items, int64_t k, bool cosine, int threads) {
    isthmus::Request<T> request;
    request.items = items.numbers.data(), request.n = items.n, request.d = items.d;
    request.k = k, request.cosine = cosine, request.threads = threads;
    return request;
}

// Whether the search gives the oracle's table. `within` is in the oracle's units, of rows divided by 2^exponent; with queries,
// the search takes and gives those of the numbers themselves.
template <class T>
bool agrees(isthmus::Request<T> request, int exponent, const std::vector<std::vector<Found>>& expected,
            const std::vector<double>& within = {}) {
    const int64_t rows = request.queries ? request.m : request.n, k = request.k;
    std::vector<int64_t> index(rows * k, kUntouched);
    std::vector<double> squared(rows * k, -1.0);
    const int twice = request.queries ? 2 * exponent : 0;
    std::vector<double> limits(within);
    for (double& limit : limits) limit = std::ldexp(limit, twice);
    if (!limits.empty()) request.within = limits.data();
    isthmus::Progress progress;
    int used = 0;
    isthmus::search(request, &used, index.data(), squared.data(), progress);
    bool all = used == (request.queries ? 0 : exponent) && progress.done == progress.all;
    for (int64_t i = 0; i < rows; ++i) {
        const int64_t own = !request.queries ? i : request.own ? request.own[i] : -1;
        const double most = within.empty() ? kFar : within[i];
        all = all && same(index.data() + i * k, squared.data() + i * k, k, expected[i], own, most, twice);
    }
    return all;
}

// All items among themselves; then the first of them as queries: some count themselves, some only look as far as one of
// their neighbors or are content with nothing.
template <class T>
void check(const std::string& name, const Set<T>& set, int64_t k) {
    for (const bool cosine : {true, false}) {
        const std::string metric = name + (cosine ? ", cosine" : ", euclidean");
        const int exponent = cosine ? 0 : exponent_of(set);
        const auto expected = oracle(set, set, cosine, exponent, metric);
        const int64_t m = std::min<int64_t>(set.n, 30);
        std::vector<int64_t> own(m);
        std::vector<double> within(m);
        for (int64_t i = 0; i < m; ++i) {
            own[i] = i % 3 ? i : -1;
            within[i] = i % 5 == 4 ? -1 : i % 2 ? expected[i][k / 2].first : kFar;
        }
        for (const std::string& kernel : kernels()) {
            setenv("ISTHMUS_KERNEL", kernel.c_str(), 1);
            for (const int threads : {1, 4}) {
                const std::string what = metric + ", " + kernel + ", threads " + std::to_string(threads);
                isthmus::Request<T> request = ask(set, k, cosine, threads);
                expect(agrees(request, exponent, expected), what);
                if (std::abs(exponent) > 400) continue;  // squares leave float64; the Python side refuses such queries
                request.queries = set.numbers.data(), request.m = m;
                expect(agrees(request, exponent, expected), what + ", queries");
                request.own = own.data();
                expect(agrees(request, exponent, expected, within), what + ", queries with own and within");
            }
        }
    }
}

// More items than a piece of work has columns, and more queries than it has rows, none of them an item.
template <class T>
void check_among(const std::string& name, const Set<T>& queries, const Set<T>& items, int64_t k) {
    for (const bool cosine : {true, false}) {
        const int exponent = cosine ? 0 : std::max(exponent_of(queries), exponent_of(items));
        const auto expected = oracle(queries, items, cosine, exponent, name);
        for (const std::string& kernel : kernels()) {
            setenv("ISTHMUS_KERNEL", kernel.c_str(), 1);
            isthmus::Request<T> request = ask(items, k, cosine, 4);
            request.queries = queries.numbers.data(), request.m = queries.n;
            expect(agrees(request, exponent, expected), name + (cosine ? ", cosine, " : ", euclidean, ") + kernel);
        }
    }
}

template <class T>
void check_all(const std::string& kind) {
    std::mt19937 generator(7);
    std::normal_distribution<double> normal;
    std::uniform_int_distribution<int> small(-2, 2);
    const auto noise = [&](int64_t, int64_t) { return normal(generator); };
    for (const int64_t d : {1, 7, 64, 300}) check(kind + ", d " + std::to_string(d), make<T>(150, d, noise), 10);
    check(kind + ", d 2048", make<T>(70, 2048, noise), 10);
    check(kind + ", d 16384", make<T>(12, 16384, noise), 3);
    check(kind + ", two rows", make<T>(2, 5, noise), 1);
    check(kind + ", all others", make<T>(60, 9, noise), 59);
    check(kind + ", several blocks", make<T>(1300, 24, noise), 10);
    check(kind + ", long lists", make<T>(700, 24, noise), 100);
    check(kind + ", zeros", make<T>(40, 6, [](int64_t, int64_t) { return 0.0; }), 7);
    check(kind + ", some zeros", make<T>(400, 6, [&](int64_t i, int64_t) { return i % 5 ? normal(generator) : 0.0; }), 7);
    check(kind + ", all equal", make<T>(300, 4, [](int64_t, int64_t p) { return 1.0 + double(p); }), 9);
    check(kind + ", grid", make<T>(500, 3, [&](int64_t, int64_t) { return double(small(generator)); }), 20);
    check(kind + ", line of whole numbers", make<T>(600, 2, [](int64_t i, int64_t) { return double(i * 7 % 13); }), 5);
    const double denormal = sizeof(T) == 4 ? 1e-41 : 1e-310;
    for (const double scale : {1e30, 1e-30, denormal}) {
        const std::string what = kind + ", scale " + std::to_string(std::lround(std::log10(scale)));
        check(what, make<T>(90, 40, [&](int64_t, int64_t) { return normal(generator) * scale; }), 7);
    }
    check(kind + ", rows of many scales",
          make<T>(90, 40, [&](int64_t i, int64_t) { return normal(generator) * std::pow(10, double(i % 7) * 10 - 30); }), 7);
    check(kind + ", one far row",
          make<T>(400, 20, [&](int64_t i, int64_t) { return normal(generator) * (i == 77 ? 1e6 : 1); }), 10);
    std::vector<double> centers(12 * 30);
    for (double& x : centers) x = normal(generator);
    check(kind + ", clusters",
          make<T>(480, 30, [&](int64_t i, int64_t p) { return centers[i % 12 * 30 + p] + 1e-4 * normal(generator); }), 60);
    check(kind + ", far from 0", make<T>(300, 30, [&](int64_t, int64_t) { return 1e4 + normal(generator); }), 10);
    const auto queries = make<T>(230, 3, noise), items = make<T>(17000, 3, noise);
    check_among(kind + ", foreign queries", queries, items, 10);
    // What float32 can tell apart differs with the units, and here every neighbor is a near tie.
    const auto far = [&](double unit) {
        return [&, unit](int64_t, int64_t) { return unit * (1000 + std::round(normal(generator) * 64) / 1024); };
    };
    for (const double unit : {0x1p-100, 1.0, 0x1p50}) {
        const auto some = make<T>(60, 60, far(unit)), all = make<T>(600, 60, far(unit));
        check_among(kind + ", near ties far from 0, unit " + std::to_string(std::lround(std::log2(unit))), some, all, 15);
    }
    const auto large = [&](int64_t, int64_t) { return 1e6 * normal(generator); };
    check_among(kind + ", queries larger than the items", make<T>(60, 20, large), make<T>(600, 20, noise), 10);
    check_among(kind + ", queries smaller than the items", make<T>(60, 20, noise), make<T>(600, 20, large), 10);
}

// A search that is stopped ends early and writes nothing.
void check_stop() {
    std::mt19937 generator(7);
    std::normal_distribution<double> normal;
    const auto set = make<float>(8000, 100, [&](int64_t, int64_t) { return normal(generator); });
    for (const std::string& kernel : kernels()) {
        setenv("ISTHMUS_KERNEL", kernel.c_str(), 1);
        for (const int threads : {1, 4}) {
            isthmus::Progress progress;
            std::vector<int64_t> index(set.n * 10, kUntouched);
            std::vector<double> squared(set.n * 10);
            std::thread stopper([&] {
                while (progress.done == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
                progress.stop = true;
            });
            int exponent = 0;
            isthmus::search(ask(set, 10, true, threads), &exponent, index.data(), squared.data(), progress);
            stopper.join();
            const bool untouched = std::all_of(index.begin(), index.end(), [](int64_t i) { return i == kUntouched; });
            expect(untouched && progress.done < progress.all, "stopped, " + kernel + ", threads " + std::to_string(threads));
        }
    }
}

// Entries shared under permutations, against a loop over all pairs of entries.
void check_relabel() {
    std::mt19937 generator(3);
    for (const auto [n, p, q, draws] : {std::array<int64_t, 4>{1, 1, 1, 1}, {5, 4, 2, 7}, {300, 10, 10, 20}, {90, 3, 80, 5}}) {
        const auto lists = [&](int64_t width) {
            std::vector<int32_t> found;
            std::vector<int32_t> items(n);
            for (int64_t i = 0; i < n; ++i) items[i] = int32_t(i);
            for (int64_t i = 0; i < n; ++i) {
                std::shuffle(items.begin(), items.end(), generator);
                found.insert(found.end(), items.begin(), items.begin() + width);
            }
            return found;
        };
        const std::vector<int32_t> a = lists(p), b = lists(q);
        std::vector<int32_t> permutations;
        for (int64_t draw = 0; draw < draws; ++draw) {
            std::vector<int32_t> image(n);
            for (int64_t i = 0; i < n; ++i) image[i] = int32_t(i);
            std::shuffle(image.begin(), image.end(), generator);
            permutations.insert(permutations.end(), image.begin(), image.end());
        }
        std::vector<int64_t> expected(draws, 0);
        for (int64_t draw = 0; draw < draws; ++draw)
            for (int64_t i = 0; i < n; ++i)
                for (int64_t u = 0; u < p; ++u)
                    for (int64_t v = 0; v < q; ++v) {
                        const int32_t* image = permutations.data() + draw * n;
                        expected[draw] += image[a[i * p + u]] == b[image[i] * q + v];
                    }
        for (const int threads : {1, 2, 3}) {
            isthmus::Progress progress;
            std::vector<int64_t> totals(draws, kUntouched);
            isthmus::shared_entries({a.data(), b.data(), n, p, q, permutations.data(), draws, threads}, totals.data(), progress);
            expect(totals == expected, "relabel " + std::to_string(n) + ", threads " + std::to_string(threads));
        }
    }
}

}  // namespace

int main() {
    for (const std::string& kernel : kernels()) std::printf("%s ", kernel.c_str());
    std::printf("\n");
    check_all<float>("float");
    check_all<double>("double");
    check_stop();
    check_relabel();
    std::printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
