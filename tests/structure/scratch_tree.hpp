// A tree of a few files for the tests of rules.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace adaptive::structure {

/// Paths relative to the root, with their contents.
using Files = std::vector<std::pair<std::string, std::string>>;

/// A tree of a few files that lives as long as the object.
class ScratchTree {
 public:
  explicit ScratchTree(const Files& files) {
    std::string pattern = (std::filesystem::temp_directory_path() / "adaptive-structure-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    root_ = pattern;
    for (const auto& [name, content] : files) {
      std::filesystem::create_directories((root_ / name).parent_path());
      std::ofstream(root_ / name) << content;
    }
  }
  ~ScratchTree() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  ScratchTree(const ScratchTree&) = delete;
  ScratchTree& operator=(const ScratchTree&) = delete;

  const std::filesystem::path& root() const { return root_; }

 private:
  std::filesystem::path root_;
};

}  // namespace adaptive::structure
