// Which variant a key gets: by our rule, or by the rule of another system.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <adaptive/match.hpp>

#include "formats/format.hpp"
#include "prior/predictor.hpp"
#include "table/table.hpp"

namespace adaptive::table::formats {

struct LookupRequest {
  std::string operation = {};                   ///< empty where one alone has what the key names
  std::map<std::string, std::string> key = {};  ///< values by dimension, as a person writes them
  std::string version = {};                     ///< of version folders; empty: the newest
  double nearest_limit = 1.0;                   ///< negative: neither a nearest entry nor a prediction
  core::PredictorFactory predictor = nullptr;   ///< null: nothing is predicted
};

struct LookupResult {
  std::string operation = {};
  Shape key = {};  ///< what was looked up, with the dimensions that the table fixes
  MatchKind match = MatchKind::fallback;
  double distance = 0.0;                    ///< in doublings; 0 for a fallback and a prediction
  double deviation = 0.0;                   ///< of a prediction: of one variant against the others, a share
  std::optional<std::string> variant = {};  ///< nothing where nobody knows
  std::string parameters = "{}";            ///< JSON, as the source names them
  Shape matched = {};                       ///< empty for a fallback and a prediction
  std::string source = {};                  ///< the foreign file of the row; "12 known keys"
  std::vector<std::string> warnings = {};
};

/// As a selector of the table's device begins with the key, by the same code: its entry, a prediction, the
/// nearest entry within the limit, or the default, which only the program knows. All variants of the table
/// count as the program's, as far as the format of a foreign table does not say what they can run. Of a
/// foreign table also what is doubtful about the row, and where the other system would take one that is too
/// far. Throws `Error` where the request does not name one key of one operation.
LookupResult look_up(const Table& table, const LookupRequest& request);

/// As the runtime of `system` would choose, from what `to_files` gives. Throws `Error` likewise, and where
/// the system has no such operation.
LookupResult look_up_like(const Table& table, const LookupRequest& request, const std::string& system);

}  // namespace adaptive::table::formats
