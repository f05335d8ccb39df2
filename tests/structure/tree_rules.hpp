// The rules of the source tree that no compiler checks: which layers may include which, and the maximum
// length of a file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/structure/source_tree.hpp"

namespace adaptive::structure {

inline constexpr std::size_t lines_max = 500;

struct Report {
  std::vector<Violation> violations;
  std::size_t files = 0;     ///< files read
  std::size_t includes = 0;  ///< include lines judged
};

/// Reads and checks every source file under `root`. Throws std::runtime_error if a file cannot be read.
Report check_tree(const std::filesystem::path& root);

/// Returns one line "file:line: message" for each fault.
std::string to_text(const Report& report);

}  // namespace adaptive::structure
