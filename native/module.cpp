// isthmus.neighbors._kernel: search and relabeling for Python, with the interpreter lock released, progress and Ctrl-C looked after.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <chrono>
#include <exception>
#include <memory>

#include "kernel.hpp"
#include "relabel.hpp"
#include "search.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T>
using Matrix = nb::ndarray<nb::numpy, const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class T>
using List = nb::ndarray<nb::numpy, const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <class Number>
nb::object owned(Number* data, int64_t rows, int64_t columns) {
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<Number*>(p); });
    const size_t shape[2] = {size_t(rows), size_t(columns)};
    return nb::cast(nb::ndarray<nb::numpy, Number, nb::ndim<2>>(data, 2, shape, owner));
}

// Does work(progress) with the interpreter lock released, and looks after signals and progress ten times a second.
template <class Work>
void released(nb::object report, Work work) {
    isthmus::Progress progress;
    std::exception_ptr interruption;
    auto last = std::chrono::steady_clock::now();
    progress.watch = [&] {
        const auto now = std::chrono::steady_clock::now();
        if (interruption || now - last < std::chrono::milliseconds(100)) return;
        last = now;
        nb::gil_scoped_acquire hold;
        try {
            if (PyErr_CheckSignals()) throw nb::python_error();
            if (!report.is_none()) report(double(progress.done) / double(progress.all));
        } catch (...) {
            interruption = std::current_exception();
            progress.stop = true;
        }
    };
    {
        nb::gil_scoped_release release;
        work(progress);
    }
    if (interruption) std::rethrow_exception(interruption);
}

template <class T>
nb::tuple run(const isthmus::Request<T>& request, nb::object report) {
    const int64_t rows = request.queries ? request.m : request.n, k = request.k;
    std::unique_ptr<int64_t[]> index(new int64_t[rows * k]);  // not cleared: all of it is written
    std::unique_ptr<double[]> squared(new double[rows * k]);
    int exponent = 0;
    released(report, [&](isthmus::Progress& progress) {
        isthmus::search<T>(request, &exponent, index.get(), squared.get(), progress);
    });
    return nb::make_tuple(owned(index.release(), rows, k), owned(squared.release(), rows, k), exponent);
}

nb::object shared_entries(Matrix<int32_t> a, Matrix<int32_t> b, Matrix<int32_t> permutations, int threads) {
    const int64_t n = a.shape(0), draws = permutations.shape(0);
    if (int64_t(b.shape(0)) != n || int64_t(permutations.shape(1)) != n)
        throw nb::value_error("b, permutations: needed a row of b and an entry of each permutation for every row of a");
    for (const auto& numbers : {a, b, permutations})
        for (size_t i = 0; i < numbers.size(); ++i)
            if (numbers.data()[i] < 0 || numbers.data()[i] >= n) throw nb::value_error("a, b, permutations: needed row numbers");
    auto totals = std::make_unique<int64_t[]>(draws);
    const isthmus::Relabeling asked{a.data(), b.data(), n, int64_t(a.shape(1)), int64_t(b.shape(1)), permutations.data(), draws, threads};
    released(nb::none(), [&](isthmus::Progress& progress) { isthmus::shared_entries(asked, totals.get(), progress); });
    return owned(totals.release(), 1, draws);
}

template <class T>
nb::tuple among_themselves(Matrix<T> items, int64_t k, bool cosine, int threads, nb::object report) {
    isthmus::Request<T> request;
    request.items = items.data(), request.n = items.shape(0), request.d = items.shape(1);
    request.k = k, request.cosine = cosine, request.threads = threads;
    return run(request, report);
}

template <class T>
nb::tuple among(Matrix<T> items, Matrix<T> queries, List<int64_t> own, List<double> within, int64_t k, bool cosine,
                int threads, nb::object report) {
    if (queries.shape(1) != items.shape(1) || own.shape(0) != queries.shape(0) || within.shape(0) != queries.shape(0))
        throw nb::value_error("queries, own, within: needed one row or number a query, as wide as the items");
    isthmus::Request<T> request;
    request.items = items.data(), request.n = items.shape(0), request.d = items.shape(1);
    request.queries = queries.data(), request.m = queries.shape(0);
    request.own = own.data(), request.within = within.data();
    request.k = k, request.cosine = cosine, request.threads = threads;
    return run(request, report);
}

}  // namespace

// Nothing is converted on the way: an array of another type would be searched in that type.
NB_MODULE(_kernel, m) {
    m.def("search", &among_themselves<float>, "items"_a.noconvert(), "k"_a, "cosine"_a, "threads"_a, "report"_a = nb::none());
    m.def("search", &among_themselves<double>, "items"_a.noconvert(), "k"_a, "cosine"_a, "threads"_a, "report"_a = nb::none());
    m.def("search_among", &among<float>, "items"_a.noconvert(), "queries"_a.noconvert(), "own"_a.noconvert(), "within"_a.noconvert(), "k"_a, "cosine"_a, "threads"_a,
          "report"_a = nb::none());
    m.def("search_among", &among<double>, "items"_a.noconvert(), "queries"_a.noconvert(), "own"_a.noconvert(), "within"_a.noconvert(), "k"_a, "cosine"_a, "threads"_a,
          "report"_a = nb::none());
    m.def("shared_entries", &shared_entries, "a"_a.noconvert(), "b"_a.noconvert(), "permutations"_a.noconvert(), "threads"_a);
    m.def("instruction_set", [] { return isthmus::best_kernel().tile.name; });
}
