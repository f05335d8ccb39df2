// Finds the variant of an operation of ours that is nearest to what another system runs: a mapping, read in
// the other direction.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/format.hpp"
#include "formats/mapping/mapping.hpp"

namespace adaptive::inline v1::table::formats {

struct OwnVariant {
  std::string name = {};
  Parameters parameters = {};
};

/// The labels that an entry of ours may have, by dimension.
using OwnLabels = std::map<std::string, std::vector<std::string>>;

/// The rows of another system for one key, by Mapping::row.
using ForeignRows = std::map<std::string, Parameters>;

struct NearestVariant {
  std::string name = {};
  /// Doublings between the two values, summed over the compared parameters; 1 for a label that differs.
  double distance = 0.0;
  /// Names of the other system; those of a row with a name follow it: "down BLOCK_SIZE_N".
  std::vector<std::string> compared = {};
  std::vector<std::string> without_counterpart = {};  ///< no variant has a value for them
};

/// The mappings to an operation of a format: for each name of a row the first one that the key allows.
std::vector<const Mapping*> mappings_for(const OperationMapping& declared, const Format& format,
                                         std::string_view operation, const Shape& key);

/// The constant labels that a mapping gives its rows, such as projection=down.
Shape constants_of(const Mapping& mapping);

/// The variant with the least distance of those that have most of the rows' parameters; of equally near ones
/// the first. `runs` says whether a variant runs some entry with these labels. Nothing if no variant has any
/// of the parameters.
std::optional<NearestVariant> nearest_variant(
    const std::vector<const Mapping*>& mappings, const Shape& key, const ForeignRows& rows,
    const std::vector<OwnVariant>& variants,
    const std::function<bool(const std::string&, const OwnLabels&)>& runs);

}  // namespace adaptive::table::formats
