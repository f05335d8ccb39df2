// What subcommands write alike.
#pragma once

#include <iosfwd>
#include <vector>

#include "table/table.hpp"

namespace adaptive::inline v1::cli {

/// How serious a notice is, in text and in JSON.
const char* notice_word(LogLevel level);

/// One line each: "file:line: warning: what".
void print_notices(const std::vector<table::Notice>& notices, std::ostream& err);

}  // namespace adaptive::cli
