// The table of `adaptive top` as text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/json_output.hpp"

namespace adaptive::inline v1::cli {

/// One key of one selector.
struct TopRow {
  const Json* status = nullptr;
  const Json* key = nullptr;
};

/// The orders of keys: the names of the socket's protocol.
const std::vector<std::string>& top_orders();

/// The keys of all selectors, in the order `sort`, at most `limit` of them.
std::vector<TopRow> top_rows(const std::vector<Json>& answers, const std::string& sort, std::size_t limit);

struct TopStyle {
  std::size_t columns = 0;                 ///< width of the screen; 0: lines are not cut
  bool colours = false;                    ///< ANSI: headings inverse, what is not confirmed dim
  std::size_t selected = ~std::size_t{0};  ///< the row that is marked
};

/// The answers of all selectors: a line for each selector, each operation, each of `rows`, and each of the
/// latest changes, under headings. `before`, the answers of the refresh before, gives the calls in a second;
/// empty for none.
std::vector<std::string> top_lines(const std::vector<Json>& answers, const std::vector<TopRow>& rows,
                                   const std::vector<Json>& before, double seconds, const TopStyle& style);

/// `text` without control characters, cut to `columns` characters or filled with spaces.
std::string fitted(std::string_view text, std::size_t columns);

}  // namespace adaptive::cli
