#include "kernels/common/cpu/helper_thread.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <system_error>
#include <thread>

namespace adaptive::kernels {
namespace {

void relax() noexcept {
#ifdef ADAPTIVE_KERNELS_X86
  __builtin_ia32_pause();
#else
  std::this_thread::yield();
#endif
}

// A caller offers a job, which the helper may accept. The caller withdraws a job that the helper has not
// accepted, so that a helper that the system does not schedule (or that a fork has left behind) does not
// delay the caller.
class Helper {
 public:
  void start() noexcept {
    try {
      std::thread([this] { serve(); }).detach();
      started_.store(true, std::memory_order_release);
    } catch (const std::system_error&) {  // no thread could be started: callers do all the work
    }
  }

  void run(std::size_t pieces, JobPiece piece, void* context) noexcept {
    std::unique_lock lock(caller_, std::defer_lock);
    if (pieces < 2 || !started_.load(std::memory_order_acquire) || !lock.try_lock()) {
      for (std::size_t i = 0; i < pieces; ++i) piece(context, i, 0);
      return;
    }
    pieces_ = pieces;
    piece_ = piece;
    context_ = context;
    next_.store(0, std::memory_order_relaxed);
    state_.store(offered, std::memory_order_release);
    state_.notify_one();
    take_pieces(0);
    std::uint32_t state = offered;
    if (state_.compare_exchange_strong(state, idle, std::memory_order_acq_rel)) return;
    // The helper is executing its last piece, so the wait is short. Sleeping covers a helper that was
    // preempted.
    for (int i = 0; i < 4000 && state != done; ++i) {
      relax();
      state = state_.load(std::memory_order_acquire);
    }
    while ((state = state_.load(std::memory_order_acquire)) != done)
      state_.wait(state, std::memory_order_acquire);
    state_.store(idle, std::memory_order_relaxed);
  }

 private:
  enum : std::uint32_t { idle, offered, accepted, done };

  void take_pieces(int thread) noexcept {
    for (;;) {
      const std::size_t piece = next_.fetch_add(1, std::memory_order_relaxed);
      if (piece >= pieces_) return;
      piece_(context_, piece, thread);
    }
  }

  [[noreturn]] void serve() noexcept {
    for (;;) {
      std::uint32_t state = state_.load(std::memory_order_acquire);
      if (state == offered) {
        if (!state_.compare_exchange_strong(state, accepted, std::memory_order_acq_rel)) continue;
        take_pieces(1);
        state_.store(done, std::memory_order_release);
        state_.notify_one();
      } else {
        // Launches come in series, and waking up costs tens of microseconds; therefore the helper polls for a
        // while before it sleeps.
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
        while (state_.load(std::memory_order_relaxed) != offered && std::chrono::steady_clock::now() < until)
          for (int i = 0; i < 16; ++i) relax();
        state = state_.load(std::memory_order_acquire);
        if (state != offered) state_.wait(state, std::memory_order_acquire);
      }
    }
  }

  std::mutex caller_;  ///< its holder owns the job's members while state_ is idle
  std::atomic<bool> started_{false};
  std::atomic<std::uint32_t> state_{idle};
  std::atomic<std::size_t> next_{0};
  std::size_t pieces_ = 0;
  JobPiece piece_ = nullptr;
  void* context_ = nullptr;
};

// Leaked on purpose: the helper thread outlives main, and so must the object that it uses.
Helper& helper() {
  static Helper& instance = *new Helper;
  return instance;
}

}  // namespace

void start_helper_thread() noexcept {
  static std::once_flag once;
  std::call_once(once, [] { helper().start(); });
}

void run_on_two_threads(std::size_t pieces, JobPiece piece, void* context) noexcept {
  helper().run(pieces, piece, context);
}

}  // namespace adaptive::kernels
