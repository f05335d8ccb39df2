// Leaves out candidates that are outside of the search space, or that would run out of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <adaptive/variant.hpp>

#include "kernels/family.hpp"
#include "tuning/bench/bench.hpp"

namespace adaptive::inline v1::tuning {

/// The candidates that are tried. An empty space contains all.
struct SearchSpace {
  /// Allowed values by parameter. Candidates without the parameter are not affected.
  std::map<std::string, std::vector<Parameter>> parameters = {};
  /// Patterns of names, with `*` for any text. One of them must match, unless there are none.
  std::vector<std::string> variants = {};
  /// False: only candidates of the default's numeric class are tried, so that the tuned variant gives the
  /// same results bit for bit. A program without `OperationSpec::mix_numeric_classes` runs no others.
  bool mix_numeric_classes = true;
  /// Bytes that a candidate may need for a shape besides the operands.
  std::uint64_t memory_limit = std::numeric_limits<std::uint64_t>::max();
  std::size_t candidates_max = 0;  ///< number of the family's best guesses to try; 0: no limit

  bool has(const Candidate& candidate) const;
  /// The same, and in view of the numeric class of the default, which is always in the space.
  bool admits(const Candidate& candidate, const Candidate& the_default) const;
  friend bool operator==(const SearchSpace&, const SearchSpace&) = default;
};

/// Finds parts of a space that match no candidate: probably typing errors, or meant for another family.
/// Thread-safe.
class UnusedSpace {
 public:
  /// `space` must outlive this object.
  explicit UnusedSpace(const SearchSpace& space);

  /// Adds the candidates of a shape, also those outside of the space.
  void see(const std::vector<Candidate>& candidates);
  /// The unmatched parts, sorted: "variant tile6*", "parameter tiel", "tile=65". Empty before the first
  /// see().
  std::vector<std::string> names() const;

 private:
  const SearchSpace& space_;
  mutable std::mutex mutex_;
  bool has_seen_ = false;
  std::set<std::string> unused_;
};

/// Remembers candidates that ran out of memory, by shape. Such a candidate is not tried at shapes that are at
/// least as large in every size and equal in every label. Thread-safe.
class MemoryDominance {
 public:
  explicit MemoryDominance(std::vector<kernels::Dimension> dimensions);

  /// An empty `variant` stands for the shape as a whole.
  void ran_out(const std::string& variant, const kernels::Shape& shape);
  /// The smaller shape at which the variant ran out of memory; nothing if there is none.
  std::optional<kernels::Shape> dominated_by(const std::string& variant, const kernels::Shape& shape) const;

 private:
  bool is_as_large(const kernels::Shape& shape, const kernels::Shape& than) const;

  std::vector<kernels::Dimension> dimensions_;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<kernels::Shape>> shapes_;
};

/// The candidates of a shape that the space admits, at most its maximum number; the first is the default.
std::vector<Candidate> admitted(const std::vector<Candidate>& all, const SearchSpace& space);

/// A bench with only those candidates that are in the space. The default is always one of them.
class PrunedBench final : public Bench {
 public:
  /// `space` and `memory` must outlive this object.
  PrunedBench(std::unique_ptr<Bench> bench, kernels::Shape shape, const SearchSpace& space,
              const MemoryDominance& memory);

  const std::vector<Candidate>& candidates() override { return candidates_; }
  double bytes() override { return bench_->bytes(); }
  double operations() override { return bench_->operations(); }
  Trial check(std::size_t candidate) override;
  std::vector<Trial> round(const Round& round) override;

 private:
  std::unique_ptr<Bench> bench_;
  kernels::Shape shape_;
  const MemoryDominance& memory_;
  std::vector<Candidate> candidates_;
  std::vector<std::size_t> indices_;  // of the candidates in the underlying bench
};

}  // namespace adaptive::tuning
