// Reads the search space and the recorded routing that are given to `tune`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tuning/bench/pruned_bench.hpp"
#include "tuning/shapes.hpp"

namespace adaptive::inline v1::cli {

/// Reads {"parameters": {"tile": [64, 128], "method": ["panel"]}, "variants": ["lt66_*"], "candidates_max":
/// 20}; each member may be missing. Throws `Error` with the file and a JSON pointer.
tuning::SearchSpace read_search_space(const std::filesystem::path& path);

/// Reads one step per line: the rows of each expert, separated by commas or blanks. Ignores lines that begin
/// with `#` and steps without rows. Throws `Error` with the file and the line.
std::vector<tuning::RoutedStep> read_routing(const std::filesystem::path& path);

}  // namespace adaptive::cli
