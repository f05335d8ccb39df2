// Reading on after a fault of syntax, for whoever wants to know all that is wrong with a text.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "table/json_lexer.hpp"
#include "table/json_reader.hpp"

namespace adaptive::table {

/// Like `read_parts`, but a fault is reported and the text read on: a missing comma or colon is thought to be
/// there, one too many not to be, an unquoted word is a name where a name is expected, and what else is no
/// JSON is a value of kind `faulty`. What is missing of closing brackets is closed where an outer one, or the
/// file, ends. Where nothing is wrong, the reader sees the same as from `read_parts`.
///
/// One fault is reported once: what follows from it alone is not. After `syntax_faults_max` of them, and
/// where the text is nested too deep, the rest is not read, and a last report says so.
void read_parts_tolerantly(std::string_view text, PartReader& reader,
                           const std::function<void(const SyntaxFault&)>& report);

inline constexpr std::size_t syntax_faults_max = 100;

}  // namespace adaptive::table
