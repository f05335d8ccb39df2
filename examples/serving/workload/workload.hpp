#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include <adaptive/selector.hpp>

#include "examples/serving/family_operation.hpp"
#include "examples/serving/workload/model.hpp"

namespace serving {

/// What really happened with one variant of a key.
struct VariantTotal {
  std::uint64_t launches = 0;
  double time_ns = 0;
};

class Workload;

/// One shape that arose: its operands, and what was launched.
struct KeyRun {
  std::size_t operation = 0;  ///< index in the workload
  kernels::Shape shape;
  adaptive::Key key;
  std::unique_ptr<kernels::Problem> problem;
  std::vector<VariantTotal> totals;  ///< by the operation's variant
  const KeyRun* before = nullptr;    ///< what the model launched before it, the last time
  std::uint32_t leader = 0;          ///< the variant that is ahead at the end of the run

  std::uint64_t launches() const;
  double time_ns() const;
};

/// The operations of all families, and the keys that have arisen.
///
/// There are as many keys as the model has projections times the powers of two up to the token budget, so
/// they and their operands are kept until the end.
class Workload {
 public:
  struct Entry {
    FamilyOperation family;
    adaptive::Operation* operation = nullptr;
  };

  Workload(adaptive::Selector& selector, std::uint64_t seed);

  /// The key of a launch; makes its operands the first time.
  KeyRun& at(const Launch& launch);

  /// Notes what the selector has learned of each key: after the run.
  void note_leaders();

  /// Runs a variant of the operation; its latency in nanoseconds, or nothing where the launch failed.
  std::optional<double> launch(const KeyRun& key, std::uint32_t variant) const;

  const std::vector<Entry>& operations() const { return operations_; }
  const Entry& entry(const KeyRun& key) const { return operations_[key.operation]; }
  std::size_t size() const { return keys_.size(); }
  /// All keys in a fixed order.
  std::vector<const KeyRun*> keys() const;

 private:
  std::uint64_t seed_;
  std::vector<Entry> operations_;
  std::map<std::pair<const kernels::Family*, kernels::Shape>, KeyRun> keys_;
};

}  // namespace serving
