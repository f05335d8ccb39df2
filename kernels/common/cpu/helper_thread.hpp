#pragma once

#include <cstddef>

namespace adaptive::kernels {

/// One piece of a job. `thread` is 0 on the caller and 1 on the helper, to tell their scratch apart.
using JobPiece = void (*)(void* context, std::size_t piece, int thread);

/// Starts the helper thread, once per process. Call before the first timed launch; without it (or where no
/// thread can be made) run_on_two_threads() does all on the caller.
void start_helper_thread() noexcept;

/// Runs pieces [0, pieces) once each, in any order, on the caller and on one persistent helper thread, and
/// returns when all are done; their effects are then visible to the caller. Never allocates. Any thread may
/// call at any time: where the helper serves another caller, all pieces run on this one.
void run_on_two_threads(std::size_t pieces, JobPiece piece, void* context) noexcept;

/// The same for a callable `function(piece, thread)`.
template <class Function>
void run_on_two_threads(std::size_t pieces, Function& function) noexcept {
  run_on_two_threads(
      pieces,
      [](void* context, std::size_t piece, int thread) { (*static_cast<Function*>(context))(piece, thread); },
      &function);
}

}  // namespace adaptive::kernels
