// Recorded keys as operations whose table knows the other keys: what predictions are judged by.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <adaptive/key.hpp>
#include <adaptive/operation.hpp>
#include "replay/temporary_folder.hpp"
#include "table/trace.hpp"

namespace adaptive::inline v1::replay {

/// Whole numbers of the trace's key are sizes, everything else labels. The key's own variants come first, in
/// the order of the trace; those that only other keys have do not support it.
struct KnownOperation {
  OperationSpec spec;
  Key key;
  std::filesystem::path table;
};

/// Writes a table for every key of a trace, to a folder that is removed in the end.
class KnownOperations {
 public:
  /// The table of a key holds all other keys of the same operation and, where `leave_out` names dimensions,
  /// of those only the ones whose values there are not all the key's: with n, k and experts a whole layer's
  /// shapes are left out. Each variant's latencies are wrong by a factor, lognormal of deviation `error`, the
  /// same at all keys of a table. Throws `Error` for a dimension that a key does not have.
  KnownOperations(const std::vector<table::TraceKey>& keys, const std::vector<std::string>& leave_out,
                  double error = 0.0);

  const KnownOperation& operator[](std::size_t key) const noexcept { return operations_[key]; }

 private:
  TemporaryFolder folder_;
  std::vector<KnownOperation> operations_;
};

/// How good the predictions were, before the first call, over all keys and variants.
struct PredictionQuality {
  std::size_t keys = 0;       ///< how many
  std::size_t predicted = 0;  ///< how many of them had a prediction; the rest is of those
  std::size_t variants = 0;
  std::size_t covered = 0;  ///< variants within the 90 % interval, given what is common to the key
  double deviation = 0.0;   ///< sum of what was expected of the errors of the log, and below, what they were
  double squares = 0.0;
  double start_gap = 0.0;  ///< sum of the gaps to the best of the variants that the keys start with

  void add(const KnownOperation& known, const table::TraceKey& truth);
};

}  // namespace adaptive::replay
