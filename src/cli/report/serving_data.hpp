// What a table and audit files tell of programs that have learned while they ran.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/report/report_page.hpp"

namespace adaptive::inline v1::cli {

/// A share of latency that is saved, 0.25 for a quarter, and how far it may be off.
struct Gain {
  double share = 0.0;
  std::optional<double> noise = {};  ///< nothing: an audit file does not tell
};

/// One key before and after.
struct ServedKey {
  std::string operation = {};
  std::string key = {};  ///< "m=512 bits=2+4"
  std::string before =
      {};  ///< the incumbent of the seed table, or of before the first change; empty: unknown
  std::string after = {};
  double before_ns = 0.0;  ///< robust locations; 0: not measured
  double after_ns = 0.0;
  std::uint64_t results = 0;  ///< of the incumbent
  std::optional<Gain> over_before = {};
  std::optional<Gain> over_default = {};
  std::size_t changes = 0;  ///< of the incumbent, in the audit files
  std::string open = {};    ///< what is not certain yet; empty: the incumbent is confirmed, or no table tells
};

/// One change of an incumbent, from an audit file.
struct ServedChange {
  std::int64_t time = 0;  ///< seconds since 1970
  std::string event = {};
  std::string operation = {};
  std::string key = {};
  std::string from = {};
  std::string to = {};
  std::string why = {};
  double gain_after = 0.0;  ///< mean over all keys that change, after this change
};

struct ServingReport {
  std::string title = {};
  Facts facts = {};
  std::vector<ServedKey> keys = {};        ///< the greatest gain first
  std::vector<ServedChange> changes = {};  ///< in their order
  std::vector<std::int64_t> starts = {};   ///< when selectors began
  bool has_table = false;
};

struct ServingSources {
  std::vector<std::filesystem::path> paths = {};  ///< at most one table; audit files with their rotated ones
  std::filesystem::path before = {};              ///< the seed table; empty: none
  std::string default_variant = {};               ///< of the program; empty: that of the family, if known
};

/// " ± 1.2 %", or that a figure is not certain at all; empty without noise.
std::string noise_text(double noise);

/// Whether the file has lines of an audit.
bool is_audit_file(const std::filesystem::path& path);

/// Throws `Error` for files that cannot be read or say nothing, and `UsageError` for several tables.
ServingReport read_serving(const ServingSources& sources);

}  // namespace adaptive::cli
