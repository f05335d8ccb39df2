// How a key of one table is said in the words of another: dimensions and labels are matched by name, since
// their order may differ.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "table/table.hpp"

namespace adaptive::table {

/// Where the two do not describe the same keys, `problem` says why and nothing else may be asked.
class DimensionMap {
 public:
  /// For one table of both, so that nothing may differ but orders; labels that only `from` has are added
  /// after those of `into`.
  static DimensionMap joining(const std::vector<Dimension>& into, const std::vector<Dimension>& from);
  /// For whoever asks with the dimensions `to`, whose labels stay as they are. Of label dimensions that only
  /// `from` has, the first label is the usual one: keys that have another are nobody's.
  static DimensionMap onto(const std::vector<Dimension>& to, const std::vector<Dimension>& from);

  /// Empty where there is none.
  const std::string& problem() const noexcept { return problem_; }
  const std::vector<Dimension>& dimensions() const noexcept { return dimensions_; }
  /// Nothing for a key that cannot be said, or does not fit its own dimensions.
  std::optional<Key> key(const Key& from) const;

 private:
  struct Source {
    std::size_t dimension = 0;
    std::vector<std::optional<std::int64_t>> labels = {};  // of each label there, its index here
  };

  DimensionMap(const std::vector<Dimension>& to, std::size_t from_size)
      : dimensions_(to), from_size_(from_size) {}
  /// Null, with the problem, where there is none of this name and kind.
  const Dimension* match(const Dimension& dimension, const std::vector<Dimension>& from);
  void match_labels(const Dimension& own, const Dimension& other);

  std::vector<Dimension> dimensions_;
  std::size_t from_size_ = 0;
  std::vector<Source> sources_;       // of each dimension
  std::vector<std::size_t> unasked_;  // dimensions of `from` that must have their first label
  std::string problem_;
};

/// "m=16 bits=2+4", for messages.
std::string key_text(const std::vector<Dimension>& dimensions, const Key& key);

}  // namespace adaptive::table
