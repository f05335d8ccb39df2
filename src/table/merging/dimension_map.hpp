// Converts keys of one table to the dimensions of another. Dimensions and labels are matched by name, since
// their order may differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// If the dimensions do not describe the same keys, `problem` says why, and no other member may be called.
class DimensionMap {
 public:
  /// For a merge of both tables. Only orders may differ; labels that only `from` has are added after those of
  /// `into`.
  static DimensionMap joining(const std::vector<Dimension>& into, const std::vector<Dimension>& from);
  /// For a reader that knows only the dimensions `to`, which are not changed. If `from` has a label dimension
  /// that `to` lacks, keys with its first label (the usual one) are converted; other keys are not.
  static DimensionMap onto(const std::vector<Dimension>& to, const std::vector<Dimension>& from);

  /// Empty if there is no problem.
  const std::string& problem() const noexcept { return problem_; }
  const std::vector<Dimension>& dimensions() const noexcept { return dimensions_; }
  /// The converted key. Nothing if it cannot be converted, or does not fit its own dimensions.
  std::optional<Key> key(const Key& from) const;

 private:
  struct Source {
    std::size_t dimension = 0;
    std::vector<std::optional<std::int64_t>> labels = {};  // for each label of `from`: its new index
  };

  DimensionMap(const std::vector<Dimension>& to, std::size_t from_size)
      : dimensions_(to), from_size_(from_size) {}
  /// Null, and sets the problem, if there is no dimension of this name and kind.
  const Dimension* match(const Dimension& dimension, const std::vector<Dimension>& from);
  void match_labels(const Dimension& own, const Dimension& other);

  std::vector<Dimension> dimensions_;
  std::size_t from_size_ = 0;
  std::vector<Source> sources_;       // for each dimension of the result
  std::vector<std::size_t> unasked_;  // dimensions of `from` that must have their first label
  std::string problem_;
};

}  // namespace adaptive::table
