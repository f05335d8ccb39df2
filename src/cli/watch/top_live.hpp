// `adaptive top` on a terminal.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "cli/json_output.hpp"
#include "cli/watch/top_view.hpp"

namespace adaptive::inline v1::cli {

/// What is shown, which the keyboard changes.
struct TopState {
  std::string sort = "time";
  std::string filter = {};
  std::size_t selected = 0;
  bool explains = false;   ///< the selected key
  bool is_typing = false;  ///< the filter
  bool is_over = false;
};

/// What the user has typed changes `state`; `rows` are those on the screen. Returns whether the selectors are
/// to be asked again.
bool type_at_top(TopState& state, std::string_view typed, const std::vector<TopRow>& rows);

/// How long to wait between two questions: `asked`, or longer where answers take long, so that no process
/// spends more than 0.5 % of a core on them.
std::chrono::milliseconds top_interval(std::chrono::milliseconds asked, const std::vector<Json>& answers);

/// Asks the selectors: `status` by the state's order and filter.
using AskAll = std::function<std::vector<Json>(const TopState& state, std::size_t limit)>;
/// Asks the selector of the row to explain its key: the lines of the text.
using ExplainRow = std::function<std::vector<std::string>(const TopRow& row)>;

/// Shows the table until the user quits or the program gets SIGINT or SIGTERM.
void run_top(const TopState& begin, std::chrono::milliseconds interval, const AskAll& ask,
             const ExplainRow& explain);

/// Whether the program's input and output are a terminal.
bool is_live_terminal(const std::ostream& out);

}  // namespace adaptive::cli
