// The other files that `tune` reads.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tuning/bench/pruned_bench.hpp"
#include "tuning/shapes.hpp"

namespace adaptive::inline v1::cli {

/// {"parameters": {"tile": [64, 128], "method": ["panel"]}, "variants": ["lt66_*"], "candidates_max": 20};
/// each member may be missing. Throws `Error` with the file and a JSON pointer.
tuning::SearchSpace read_search_space(const std::filesystem::path& path);

/// One step a line: the rows of each expert, separated by commas or blanks; lines that begin with `#` are
/// left out, and so are steps without rows. Throws `Error` with the file and the line.
std::vector<tuning::RoutedStep> read_routing(const std::filesystem::path& path);

}  // namespace adaptive::cli
