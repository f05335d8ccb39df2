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

/// The launches of one variant of a key in the run.
struct VariantTotal {
  std::uint64_t launches = 0;
  double time_ns = 0;
};

class Workload;

/// One shape of the run: its operands and its launches.
struct KeyRun {
  std::size_t operation = 0;  ///< index in the workload
  kernels::Shape shape;
  adaptive::Key key;
  std::unique_ptr<kernels::Problem> problem;
  std::vector<VariantTotal> totals;  ///< by variant of the operation
  const KeyRun* before = nullptr;    ///< the launch that preceded it in the model most recently
  std::uint32_t leader = 0;          ///< the leader at the end of the run

  std::uint64_t launches() const;
  double time_ns() const;
};

/// The operations of all families, and the keys that have occurred.
///
/// There are as many keys as the model has projections times the powers of two up to the token budget.
/// Therefore the keys and their operands are kept until the end.
class Workload {
 public:
  struct Entry {
    FamilyOperation family;
    adaptive::Operation* operation = nullptr;
  };

  Workload(adaptive::Selector& selector, std::uint64_t seed);

  /// The key of a launch. Creates its operands when the key first occurs.
  KeyRun& at(const Launch& launch);

  /// Stores the leader of each key; call it after the run.
  void note_leaders();

  /// Runs a variant of the operation. Returns its latency in nanoseconds, or nothing if the launch failed.
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
