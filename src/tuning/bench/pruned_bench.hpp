// Candidates that are not worth a launch: outside the search space, or sure to run out of memory.
#pragma once

#include <cstddef>
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

namespace adaptive::tuning {

/// Which candidates are tried. Empty: all.
struct SearchSpace {
  /// Values that a parameter may have; a candidate without the parameter is not affected.
  std::map<std::string, std::vector<Parameter>> parameters = {};
  /// Names, `*` for any text; one of them must match.
  std::vector<std::string> variants = {};
  std::size_t candidates_max = 0;  ///< the family's best guesses; 0: no limit

  bool has(const Candidate& candidate) const;
  friend bool operator==(const SearchSpace&, const SearchSpace&) = default;
};

/// What of a space no candidate has: most likely mistyped, or meant for another family. Thread-safe.
class UnusedSpace {
 public:
  /// `space` must outlive this.
  explicit UnusedSpace(const SearchSpace& space);

  /// All candidates of a shape, also those outside the space.
  void see(const std::vector<Candidate>& candidates);
  /// "variant tile6*", "parameter tiel", "tile=65", sorted; nothing before the first see().
  std::vector<std::string> names() const;

 private:
  const SearchSpace& space_;
  mutable std::mutex mutex_;
  bool has_seen_ = false;
  std::set<std::string> unused_;
};

/// What ran out of memory, by shape. What did at one shape does at every shape that is as large in each size
/// and equal in each label: it is not tried there. Thread-safe.
class MemoryDominance {
 public:
  explicit MemoryDominance(std::vector<kernels::Dimension> dimensions);

  /// `variant`: empty for the shape as a whole.
  void ran_out(const std::string& variant, const kernels::Shape& shape);
  /// The smaller shape at which it did.
  std::optional<kernels::Shape> dominated_by(const std::string& variant, const kernels::Shape& shape) const;

 private:
  bool is_as_large(const kernels::Shape& shape, const kernels::Shape& than) const;

  std::vector<kernels::Dimension> dimensions_;
  mutable std::mutex mutex_;
  std::map<std::string, std::vector<kernels::Shape>> shapes_;
};

/// The candidates of a bench that are in the space, the default always among them.
class PrunedBench final : public Bench {
 public:
  /// `space` and `memory` must outlive this.
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
  std::vector<std::size_t> indices_;  // the bench's
};

}  // namespace adaptive::tuning
