// isthmus.neighbors._kernel: the search for Python, with the interpreter lock released, progress and Ctrl-C looked after.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>

#include "search.hpp"
#include "tile.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T>
using Matrix = nb::ndarray<nb::numpy, const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <class Number>
nb::object owned(Number* data, int64_t rows, int64_t columns) {
    nb::capsule owner(data, [](void* p) noexcept { delete[] static_cast<Number*>(p); });
    const size_t shape[2] = {size_t(rows), size_t(columns)};
    return nb::cast(nb::ndarray<nb::numpy, Number, nb::ndim<2>>(data, 2, shape, owner));
}

// Runs the search on a thread of its own, so that this one can look after signals and progress ten times a second.
template <class T>
nb::tuple search(Matrix<T> vectors, int64_t k, bool cosine, int threads, nb::object report) {
    const int64_t n = vectors.shape(0), d = vectors.shape(1);
    auto index = std::make_unique<int64_t[]>(n * k);
    auto squared = std::make_unique<double[]>(n * k);
    isthmus::Progress progress;
    std::exception_ptr failure;
    std::mutex guard;
    std::condition_variable changed;
    bool finished = false;
    int exponent = 0;
    std::thread worker([&] {
        try {
            exponent = isthmus::search<T>(vectors.data(), n, d, k, cosine, threads, index.get(), squared.get(), progress);
        } catch (...) {
            failure = std::current_exception();
        }
        std::lock_guard<std::mutex> hold(guard);
        finished = true;
        changed.notify_one();
    });
    bool interrupted = false;
    for (bool done = false; !done;) {
        {
            nb::gil_scoped_release release;
            std::unique_lock<std::mutex> hold(guard);
            done = changed.wait_for(hold, std::chrono::milliseconds(100), [&] { return finished; });
        }
        if (done || interrupted) continue;
        try {
            if (PyErr_CheckSignals()) throw nb::python_error();
            if (!report.is_none()) report(double(progress.pairs_done) / (0.5 * double(n) * double(n)));
        } catch (...) {
            failure = std::current_exception();
            interrupted = true;
            progress.stop = true;
        }
    }
    {
        nb::gil_scoped_release release;
        worker.join();
    }
    if (failure) std::rethrow_exception(failure);
    return nb::make_tuple(owned(index.release(), n, k), owned(squared.release(), n, k), exponent);
}

}  // namespace

NB_MODULE(_kernel, m) {
    m.def("search", &search<float>, "vectors"_a, "k"_a, "cosine"_a, "threads"_a, "report"_a = nb::none());
    m.def("search", &search<double>, "vectors"_a, "k"_a, "cosine"_a, "threads"_a, "report"_a = nb::none());
    m.def("instruction_set", [] { return isthmus::best_kernel().name; });
}
