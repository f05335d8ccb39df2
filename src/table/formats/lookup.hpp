// Which variant a key gets: by our rule, or by the rule of another system.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <adaptive/match.hpp>

#include "table/formats/format.hpp"
#include "table/table.hpp"

namespace adaptive::table::formats {

struct LookupRequest {
  std::string operation = {};                   ///< empty where the table has one
  std::map<std::string, std::string> key = {};  ///< values by dimension, as a person writes them
  std::string version = {};                     ///< of version folders; empty: the newest
  double nearest_limit = 1.0;
};

struct LookupResult {
  std::string operation = {};
  Shape key = {};  ///< what was looked up, with the dimensions that the table fixes
  MatchKind match = MatchKind::fallback;
  double distance = 0.0;                    ///< in doublings; 0 for a fallback
  std::optional<std::string> variant = {};  ///< nothing where nobody knows
  std::string parameters = "{}";            ///< JSON, as the source names them
  Shape matched = {};                       ///< empty for a fallback
  std::string source = {};                  ///< the foreign file of the row, where there is one
  std::vector<std::string> warnings = {};
};

/// As a selector begins with the key: its entry, the nearest one within the limit, or the default. Of a
/// foreign table also what is doubtful about the row, and where the other system would take one that is too
/// far. Throws `Error` where the request does not name one key of one operation.
LookupResult look_up(const Table& table, const LookupRequest& request);

/// As the runtime of `system` would choose, from what `to_files` gives. Throws `Error` likewise, and where
/// the system has no such operation.
LookupResult look_up_like(const Table& table, const LookupRequest& request, const std::string& system);

}  // namespace adaptive::table::formats
