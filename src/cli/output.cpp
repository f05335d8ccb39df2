#include "cli/output.hpp"

#include <ostream>

namespace adaptive::inline v1::cli {

const char* notice_word(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "note";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "";
}

void print_notices(const std::vector<table::Notice>& notices, std::ostream& err) {
  for (const table::Notice& notice : notices)
    err << notice.where << ": " << notice_word(notice.level) << ": " << notice.what << "\n";
}

}  // namespace adaptive::cli
