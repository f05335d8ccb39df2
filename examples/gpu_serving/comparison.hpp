#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "examples/gpu_serving/modes.hpp"
#include "examples/gpu_serving/operands.hpp"
#include "examples/gpu_serving/schedule.hpp"

namespace gpu_serving {

/// One pass over a schedule in all modes.
struct Pass {
  std::string model;
  std::string what;                               ///< "without a table", "with the table of the first pass"
  std::vector<std::unique_ptr<Mode>> modes = {};  ///< the last one is the best in hindsight
  std::size_t steps = 0;                          ///< that every mode has served
  std::int64_t tokens = 0;                        ///< of these steps, without padding
};

struct PassLimits {
  double seconds = 40;          ///< all modes together; the schedule may end earlier
  double block_seconds = 0.08;  ///< of the first mode of a block; the others serve the same steps
  int ahead = 2;                ///< steps that the host enqueues before it waits for the first of them
};

/// Serves the schedule in blocks of steps: each mode serves a block before any serves the next one, in a new
/// order each time, so that a slow phase of the machine affects all alike.
void serve(Pass& pass, const Schedule& schedule, cudaStream_t stream, const PassLimits& limits,
           std::uint64_t seed, const std::function<void(const Pass&, double seconds)>& progress);

/// Fixed choices from calibrated launches.
FixedMode::Choose first_choice();
FixedMode::Choose best_choice();
/// The variant of each family with which the schedule takes least; the first choice where it does not run.
FixedMode::Choose one_variant(Operands& operands);

}  // namespace gpu_serving
