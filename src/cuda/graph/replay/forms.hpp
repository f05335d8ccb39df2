// The nodes that the variants of a captured graph's launches need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "cuda/graph/replay/driver.hpp"
#include "cuda/graph/tracked_state.hpp"

namespace adaptive::inline v1::cuda {

/// Captures a variant of a launch into a graph of its own, at the first question about it, and keeps the
/// graph. Variants of a launch whose nodes can take each other's place have the same number; 0 is that of the
/// nodes that the program has captured. Not thread-safe.
class ReplayForms {
 public:
  /// Largest number of variants that are kept. Further ones fit no executable.
  static constexpr std::size_t forms_max = 4096;

  struct Captured {
    ReplayDriver::Form form = {};
    /// First to last; empty if the variant is more than a chain of kernels, memsets and copies.
    Nodes chain = {};
    CUgraph graph = nullptr;  ///< null for what the program has captured
    std::shared_ptr<const ScratchGraph> owner = {};
  };

  /// `launches` must outlive the object and must not change. If `has_runtime` is false, the runtime is not
  /// asked whether an error of the program is pending: it knows none where there is no driver.
  ReplayForms(const Driver& driver, const GraphDriver& graphs, const std::vector<TrackedLaunch>& launches,
              bool has_runtime);

  /// Null if the answer cannot be kept, which is also the case if it may be another one later.
  const Captured* find(std::size_t launch, std::uint32_t variant, ReplayDriver::Form& form);

 private:
  ReplayDriver::Form capture(std::size_t launch, std::uint32_t variant, Captured& captured);
  std::uint32_t number_of(std::size_t launch, const Nodes& chain);

  const Driver& driver_;
  const GraphDriver& graphs_;
  const std::vector<TrackedLaunch>& launches_;
  bool has_runtime_;
  std::map<std::pair<std::size_t, std::uint32_t>, Captured> captured_;
  std::vector<std::uint32_t> numbers_;  // of each launch: the next number
};

}  // namespace adaptive::cuda
