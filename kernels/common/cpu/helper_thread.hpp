#pragma once

#include <cstddef>

namespace adaptive::kernels {

/// One piece of a job. `thread` is 0 on the caller and 1 on the helper, so that each can use its own scratch
/// memory.
using JobPiece = void (*)(void* context, std::size_t piece, int thread);

/// Starts the helper thread, once per process. Call it before the first timed launch. Without it, or if no
/// thread can be started, run_on_two_threads() does all work on the caller.
void start_helper_thread() noexcept;

/// Runs pieces [0, pieces) once each, in any order, on the caller and on one persistent helper thread, and
/// returns when all are done; their effects are then visible to the caller. Never allocates. Thread-safe: if
/// the helper serves another caller, all pieces run on the calling thread.
void run_on_two_threads(std::size_t pieces, JobPiece piece, void* context) noexcept;

/// Does the same for a callable `function(piece, thread)`.
template <class Function>
void run_on_two_threads(std::size_t pieces, Function& function) noexcept {
  run_on_two_threads(
      pieces,
      [](void* context, std::size_t piece, int thread) { (*static_cast<Function*>(context))(piece, thread); },
      &function);
}

}  // namespace adaptive::kernels
