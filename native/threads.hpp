// Work shared among threads: pieces are taken from a counter, and an exception in one is thrown again in the caller.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace isthmus {

template <class Work>
void in_parallel(int threads, int64_t n, int64_t piece, Work work) {
    std::atomic<int64_t> next{0};
    std::exception_ptr failure;
    std::mutex guard;
    const auto run = [&] {
        try {
            for (int64_t begin; (begin = next.fetch_add(piece)) < n;) work(begin, std::min(begin + piece, n));
        } catch (...) {
            std::lock_guard<std::mutex> hold(guard);
            failure = std::current_exception();
            next = n;
        }
    };
    std::vector<std::thread> others;
    try {
        for (int t = 1; t < threads; ++t) others.emplace_back(run);
    } catch (const std::system_error&) {
        // No more threads to be had: those there are do the work.
    }
    run();
    for (std::thread& other : others) other.join();
    if (failure) std::rethrow_exception(failure);
}

}  // namespace isthmus
