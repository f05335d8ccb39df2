// Prints summaries as a table in Markdown.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "replay/summary.hpp"

namespace adaptive::learning_bench {

/// Prints a share as "1.234 ± 0.056".
std::string percent(const replay::Mean& share);

/// The head and the lines of a table of summaries.
std::string head(const std::vector<std::size_t>& checkpoints, bool reaction);
std::string line(const std::string& policy, const replay::Summary& summary, bool reaction);

}  // namespace adaptive::learning_bench
