// The search against a slow and obvious one: all distances in float64, a full sort, ties by the lower item. Built with a
// sanitizer (CMakeLists.txt); every instruction set, one and four threads, the sets that are hard for it.
#include "search.hpp"

#include <algorithm>
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

namespace {

int failures = 0, checks = 0;

void expect(bool holds, const std::string& what) {
    ++checks;
    if (holds) return;
    ++failures;
    std::printf("FAILED: %s (%s)\n", what.c_str(), isthmus::best_kernel().tile.name);
}

// numpy's pairwise sum, written down once more.
double pairwise(const double* a, int64_t n) {
    if (n < 8) {
        double sum = 0;
        for (int64_t i = 0; i < n; ++i) sum += a[i];
        return sum;
    }
    if (n <= 128) {
        double r[8];
        for (int k = 0; k < 8; ++k) r[k] = a[k];
        int64_t i = 8;
        for (; i < n - n % 8; i += 8)
            for (int k = 0; k < 8; ++k) r[k] += a[i + k];
        double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
        for (; i < n; ++i) sum += a[i];
        return sum;
    }
    int64_t half = n / 2;
    half -= half % 8;
    return pairwise(a, half) + pairwise(a + half, n - half);
}

template <class T>
struct Set {
    int64_t n, d;
    std::vector<T> numbers;
};

// Rows in float64, of unit length under cosine; empty for a row without a direction.
template <class T>
std::vector<std::vector<double>> exact_rows(const Set<T>& set, bool cosine, int exponent) {
    std::vector<std::vector<double>> rows(set.n, std::vector<double>(set.d));
    for (int64_t i = 0; i < set.n; ++i) {
        const T* from = set.numbers.data() + i * set.d;
        int shift = exponent;
        if (cosine) {
            double peak = 0;
            for (int64_t p = 0; p < set.d; ++p) peak = std::max(peak, std::abs(double(from[p])));
            std::frexp(peak, &shift);
        }
        for (int64_t p = 0; p < set.d; ++p) rows[i][p] = std::ldexp(double(from[p]), -shift);
        if (!cosine) continue;
        std::vector<double> squares(set.d);
        for (int64_t p = 0; p < set.d; ++p) squares[p] = rows[i][p] * rows[i][p];
        const double length = std::sqrt(pairwise(squares.data(), set.d));
        if (length == 0) {
            rows[i].clear();
            continue;
        }
        const double factor = 1 / length;
        for (double& x : rows[i]) x *= factor;
    }
    return rows;
}

using Found = std::pair<double, int64_t>;

std::vector<Found> nearest(const std::vector<double>& query, const std::vector<std::vector<double>>& items, int64_t own,
                           double within) {
    std::vector<Found> found;
    for (int64_t j = 0; j < static_cast<int64_t>(items.size()); ++j) {
        if (j == own) continue;
        double squared = 2;
        if (!query.empty() && !items[j].empty()) {
            std::vector<double> squares(query.size());
            for (size_t p = 0; p < query.size(); ++p) squares[p] = (query[p] - items[j][p]) * (query[p] - items[j][p]);
            squared = pairwise(squares.data(), static_cast<int64_t>(squares.size()));
        }
        if (squared <= within) found.emplace_back(squared, j);
    }
    std::sort(found.begin(), found.end());
    return found;
}

template <class T>
void check(const std::string& name, const Set<T>& set, int64_t k) {
    for (bool cosine : {true, false})
        for (int threads : {1, 4}) {
            const std::string what = name + (cosine ? ", cosine" : ", euclidean") + ", k " + std::to_string(k) + ", threads " +
                                     std::to_string(threads);
            isthmus::Request<T> request;
            request.items = set.numbers.data(), request.n = set.n, request.d = set.d;
            request.k = k, request.cosine = cosine, request.threads = threads;
            isthmus::Progress progress;
            int exponent = 0;
            std::vector<int64_t> index(set.n * k);
            std::vector<double> squared(set.n * k);
            isthmus::search(request, &exponent, index.data(), squared.data(), progress);
            const auto rows = exact_rows(set, cosine, exponent);
            bool same = true;
            for (int64_t i = 0; i < set.n; ++i) {
                const auto expected = nearest(rows[i], rows, i, INFINITY);
                for (int64_t q = 0; q < k; ++q)
                    same = same && index[i * k + q] == expected[q].second && squared[i * k + q] == expected[q].first;
            }
            expect(same, what);

            if (std::abs(exponent) > 400) continue;  // squares leave float64 where there is no power of two to divide by
            // Some items as queries, a few of them foreign, within a distance that leaves some lists short.
            const int64_t m = std::min<int64_t>(set.n, 9);
            std::vector<int64_t> own(m);
            std::vector<double> within(m);
            for (int64_t i = 0; i < m; ++i) {
                own[i] = i % 3 ? i : -1;
                within[i] = i % 2 ? std::ldexp(squared[i * k + k / 2], 2 * exponent) : std::numeric_limits<double>::infinity();
            }
            request.queries = set.numbers.data(), request.m = m, request.own = own.data(), request.within = within.data();
            std::vector<int64_t> found(m * k);
            std::vector<double> distance(m * k);
            int none = 0;
            isthmus::search(request, &none, found.data(), distance.data(), progress);
            same = none == 0;
            for (int64_t i = 0; i < m; ++i) {
                const auto expected = nearest(rows[i], rows, own[i], std::ldexp(within[i], -2 * exponent));
                for (int64_t q = 0; q < k; ++q) {
                    const bool there = q < static_cast<int64_t>(expected.size());
                    same = same && found[i * k + q] == (there ? expected[q].second : -1) &&
                           distance[i * k + q] == (there ? std::ldexp(expected[q].first, 2 * exponent) : INFINITY);
                }
            }
            expect(same, what + ", queries");
        }
}

template <class T>
Set<T> make(int64_t n, int64_t d, const std::function<double(int64_t, int64_t)>& number) {
    Set<T> set{n, d, std::vector<T>(n * d)};
    for (int64_t i = 0; i < n; ++i)
        for (int64_t p = 0; p < d; ++p) set.numbers[i * d + p] = static_cast<T>(number(i, p));
    return set;
}

template <class T>
void check_all(const std::string& kind) {
    std::mt19937 generator(7);
    std::normal_distribution<double> normal;
    std::uniform_int_distribution<int> small(-2, 2);
    const auto noise = [&](int64_t, int64_t) { return normal(generator); };
    for (int64_t d : {1, 7, 64, 300}) check(kind + ", normal, d " + std::to_string(d), make<T>(150, d, noise), 10);
    check(kind + ", normal, d 2048", make<T>(70, 2048, noise), 10);
    check(kind + ", normal, d 16384", make<T>(12, 16384, noise), 3);
    check(kind + ", two rows", make<T>(2, 5, noise), 1);
    check(kind + ", all others", make<T>(60, 9, noise), 59);
    check(kind + ", first cuts", make<T>(1300, 24, noise), 10);
    check(kind + ", long lists", make<T>(700, 24, noise), 100);
    check(kind + ", zeros", make<T>(40, 6, [](int64_t, int64_t) { return 0.0; }), 7);
    check(kind + ", some zeros", make<T>(400, 6, [&](int64_t i, int64_t) { return i % 5 ? normal(generator) : 0.0; }), 7);
    check(kind + ", all equal", make<T>(300, 4, [](int64_t, int64_t p) { return 1.0 + double(p); }), 9);
    check(kind + ", grid", make<T>(500, 3, [&](int64_t, int64_t) { return double(small(generator)); }), 20);
    const double tiny = sizeof(T) == 4 ? 1e-41 : 1e-310;
    check(kind + ", denormal", make<T>(60, 5, [&](int64_t, int64_t) { return normal(generator) * tiny; }), 7);
    for (double scale : {1e30, 1e-30})
        check(kind + ", scale", make<T>(90, 40, [&](int64_t, int64_t) { return normal(generator) * scale; }), 7);
    check(kind + ", one far row",
          make<T>(400, 20, [&](int64_t i, int64_t) { return normal(generator) * (i == 77 ? 1e6 : 1); }), 10);
    std::vector<double> centers(12 * 30);
    for (double& x : centers) x = normal(generator);
    check(kind + ", clusters",
          make<T>(480, 30, [&](int64_t i, int64_t p) { return centers[i % 12 * 30 + p] + 1e-4 * normal(generator); }), 60);
}

void check_stop() {
    std::mt19937 generator(7);
    std::normal_distribution<float> normal;
    std::vector<float> numbers(6000 * 200);
    for (float& x : numbers) x = normal(generator);
    isthmus::Request<float> request;
    request.items = numbers.data(), request.n = 6000, request.d = 200, request.k = 10, request.cosine = true;
    request.threads = 4;
    isthmus::Progress progress;
    std::vector<int64_t> index(6000 * 10);
    std::vector<double> squared(6000 * 10);
    std::thread stopper([&] { progress.stop = true; });
    int exponent = 0;
    isthmus::search(request, &exponent, index.data(), squared.data(), progress);
    stopper.join();
    expect(true, "a search that is stopped returns");
}

}  // namespace

int main() {
    for (const char* kernel : {"avx512vnni", "avx512", "avx2", "baseline"}) {
        setenv("ISTHMUS_KERNEL", kernel, 1);
        if (std::string(isthmus::best_kernel().tile.name) != kernel) {
            std::printf("%s: not on this processor\n", kernel);
            continue;
        }
        const int before = failures;
        check_all<float>("float");
        check_all<double>("double");
        check_stop();
        std::printf("%s: %s\n", kernel, failures == before ? "passed" : "FAILED");
    }
    std::printf("%d checks, %d failures\n", checks, failures);
    return failures != 0;
}
