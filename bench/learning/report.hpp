// Prints summaries as a table in Markdown.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "replay/summary.hpp"

namespace adaptive::learning_bench {

/// "1.234 ± 0.056" of a share.
std::string percent(const replay::Mean& share);

/// The head of a table of summaries, and its lines.
std::string head(const std::vector<std::size_t>& checkpoints, bool reaction);
std::string line(const std::string& policy, const replay::Summary& summary, bool reaction);

}  // namespace adaptive::learning_bench
