#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "examples/serving/workload/batching.hpp"
#include "examples/serving/workload/model.hpp"
#include "examples/serving/workload/workload.hpp"

namespace serving {

/// The state of a run.
struct RunState {
  std::uint64_t steps = 0;
  std::uint64_t launches = 0;
  std::uint64_t timed = 0;  ///< launches whose latency the selector asked for
  double kernel_ns = 0;     ///< sum of the latencies of all launches
  double wall_s = 0;
};

struct RunLimits {
  double seconds = 30;
  std::optional<std::uint64_t> steps = {};  ///< a limit instead of the seconds
};

/// Serves until a limit is reached, all requests are done, or `interrupted` returns true. Calls `progress`
/// after every step.
RunState serve(Scheduler& scheduler, Model& model, Workload& workload, const RunLimits& limits,
               const std::function<bool()>& interrupted,
               const std::function<void(const RunState&)>& progress);

}  // namespace serving
