// A team of threads that shares the work of one search: pieces are taken from a counter, until none is left or somebody says
// stop, and an exception in one is thrown again in the caller. The threads live through all phases of the search: threads that
// are begun anew for each phase are often begun on the core of their parent, where the phase takes twice as long.
#pragma once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace isthmus {

// What the caller sees of a running search, and how it stops one.
struct Progress {
    std::atomic<int64_t> done{0}, all{1};  // pairs
    std::atomic<bool> stop{false};
    std::function<void()> watch;  // called between pieces of work and while others finish theirs, on the thread that made this
    const std::thread::id owner = std::this_thread::get_id();

    bool stopped() {
        if (watch && std::this_thread::get_id() == owner) watch();
        return stop.load(std::memory_order_relaxed);
    }
};

class Team {
  public:
    Team(int threads, Progress& progress) : progress_(progress) {
        others_.reserve(std::max(0, threads - 1));
        try {
            for (int t = 1; t < threads; ++t) others_.emplace_back([this] { serve(); });
        } catch (const std::exception&) {
            // No more threads to be had: those there are do the work.
        }
    }

    ~Team() {
        begin(nullptr);
        for (std::thread& other : others_) other.join();
    }

    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    // Calls work(begin, end) for all pieces of 0..n.
    template <class Work>
    void share(int64_t n, int64_t piece, Work work) {
        std::atomic<int64_t> next{0};
        std::exception_ptr failure;
        std::mutex guard;
        const std::function<void()> take = [&] {
            try {
                for (int64_t begin; (begin = next.fetch_add(piece)) < n && !progress_.stopped();) work(begin, std::min(begin + piece, n));
            } catch (...) {
                std::lock_guard<std::mutex> hold(guard);
                failure = std::current_exception();
                next = n;
            }
        };
        begin(&take);
        take();
        wait([this] { return busy_ == 0; });
        if (failure) std::rethrow_exception(failure);
    }

  private:
    void begin(const std::function<void()>* task) {
        {
            std::lock_guard<std::mutex> hold(guard_);
            task_ = task;
            busy_ = others_.size();
            ++turn_;
        }
        changed_.notify_all();
    }

    void serve() {
        for (int64_t turn = 1;; ++turn) {
            wait([&] { return turn_ >= turn; });
            if (!task_) return;
            (*task_)();
            std::lock_guard<std::mutex> hold(guard_);
            if (--busy_ == 0) changed_.notify_all();
        }
    }

    // Looks for a while before it sleeps: phases follow one another closely, and who does not sleep keeps his core. The owner
    // wakes to watch, however long the others' last pieces take.
    template <class Ready>
    void wait(Ready ready) {
        const auto patience = std::chrono::steady_clock::now() + std::chrono::milliseconds(2);
        while (!ready()) {
            if (std::chrono::steady_clock::now() < patience) {
                std::this_thread::yield();
                continue;
            }
            {
                std::unique_lock<std::mutex> hold(guard_);
                changed_.wait_for(hold, std::chrono::milliseconds(100), ready);
            }
            progress_.stopped();
        }
    }

    Progress& progress_;
    std::vector<std::thread> others_;
    std::mutex guard_;
    std::condition_variable changed_;
    std::atomic<int64_t> turn_{0};
    std::atomic<size_t> busy_{0};  // threads that are not done with the task of this turn
    const std::function<void()>* task_ = nullptr;
};

}  // namespace isthmus
