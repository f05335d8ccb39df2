// Text output that several subcommands share.
#pragma once

#include <iosfwd>
#include <vector>

#include "table/table.hpp"

namespace adaptive::inline v1::cli {

/// The severity of a notice as a word, in text and in JSON.
const char* notice_word(LogLevel level);

/// Prints one line for each notice: "file:line: warning: what".
void print_notices(const std::vector<table::Notice>& notices, std::ostream& err);

}  // namespace adaptive::cli
