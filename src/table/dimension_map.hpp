// How a key of one table is said in the words of another: dimensions and labels are matched by name, since
// their order may differ.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "table/table.hpp"

namespace adaptive::table {

class DimensionMap {
 public:
  /// Labels that only `from` has are added after those of `into`. Where the two do not describe the same
  /// keys, `problem` says why and nothing else may be asked.
  DimensionMap(const std::vector<Dimension>& into, const std::vector<Dimension>& from);

  /// Empty where there is none.
  const std::string& problem() const noexcept { return problem_; }
  const std::vector<Dimension>& dimensions() const noexcept { return dimensions_; }
  /// Nothing for a key that does not fit its own dimensions.
  std::optional<Key> key(const Key& from) const;

 private:
  struct Source {
    std::size_t dimension = 0;
    std::vector<std::int64_t> labels = {};  // of each label there, its index here
  };

  void match(Dimension& dimension, const std::vector<Dimension>& from);

  std::vector<Dimension> dimensions_;
  std::vector<Source> sources_;
  std::string problem_;
};

/// "m=16 bits=2+4", for messages.
std::string key_text(const std::vector<Dimension>& dimensions, const Key& key);

}  // namespace adaptive::table
