// Finds the variant for a key in a table, by the library's rule or by the rule of another system.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <adaptive/match.hpp>

#include "formats/format.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table::formats {

struct LookupRequest {
  std::string operation = {};  ///< may be empty if only one operation has the key's dimensions
  std::map<std::string, std::string> key = {};  ///< values by dimension, as a person writes them
  std::string version = {};                     ///< of version folders; empty: the newest
  double nearest_limit = 1.0;                   ///< negative: use neither a nearest entry nor a prediction
  bool predict = true;  ///< whether the model over all keys may answer, as with `LearningOptions::prediction`
};

struct LookupResult {
  std::string operation = {};
  Shape key = {};  ///< what was looked up, with the dimensions that the table fixes
  MatchKind match = MatchKind::fallback;
  double distance = 0.0;   ///< in doublings; 0 for a fallback and a prediction
  double deviation = 0.0;  ///< of a prediction: relative error of one variant against another
  std::optional<std::string> variant = {};  ///< nothing if unknown
  std::string parameters = "{}";            ///< JSON, with the names of the source
  Shape matched = {};                       ///< empty for a fallback and a prediction
  std::string source = {};                  ///< the foreign file of the row; "12 known keys"
  std::vector<std::string> warnings = {};
};

/// The starting point that a selector on the table's device would use for the key, by the same code: the
/// key's entry, a prediction, the nearest entry within the limit, or the default, which only the program
/// knows. All variants of the table count as variants of the program, unless the format of a foreign table
/// says that they cannot run the key. For a foreign table there are also warnings: about the row, and if the
/// other system would take a row that is too far away. Throws `Error` if the request does not name one key of
/// one operation.
LookupResult look_up(const Table& table, const LookupRequest& request);

/// The choice of the runtime of `system`, given the files that `to_files` makes of the table. Throws `Error`
/// if the request does not name one key of one operation, or the system has no such operation.
LookupResult look_up_like(const Table& table, const LookupRequest& request, const std::string& system);

}  // namespace adaptive::table::formats
