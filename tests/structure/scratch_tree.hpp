// A tree of a few files for the tests of rules.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/selector/scratch_folder.hpp"

namespace adaptive::structure {

/// Paths relative to the root, with their contents.
using Files = std::vector<std::pair<std::string, std::string>>;

/// A tree of a few files that lives as long as the object.
class ScratchTree {
 public:
  explicit ScratchTree(const Files& files) {
    for (const auto& [name, content] : files) folder_.write(name, content);
  }

  const std::filesystem::path& root() const { return folder_.path(); }

 private:
  test::ScratchFolder folder_;
};

}  // namespace adaptive::structure
