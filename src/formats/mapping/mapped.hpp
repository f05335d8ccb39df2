// Expresses entries of a table in the operations of other systems.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "formats/format.hpp"
#include "formats/mapping/mapping.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table::formats {

struct MappingRequest {
  /// Values that mappings need from the user (`OperationMapping::given`), as a person writes them.
  std::map<std::string, std::string> given = {};
  /// Only entries with these values, by dimension. A value of a dimension that an operation lacks leaves out
  /// all of its entries.
  std::map<std::string, std::string> where = {};
};

struct MappedTable {
  /// The table with the mapped operations replaced by those of the other systems.
  Table table = {};
  std::vector<Notice> notices = {};
  std::size_t mapped = 0;    ///< number of rows
  std::size_t left_out = 0;  ///< number of entries that could not be expressed in an operation
};

/// Maps the operations that the formats do not have themselves and for which there is a declaration; the last
/// declaration of an operation counts. A row has the parameters of the variant that an entry stands for
/// (`lasting_incumbent`). A notice tells for each other entry why it has no row: a value without a spelling,
/// a missing parameter, tiles that the kernel refuses. If several entries would become the same row with
/// different parameters, none of them does. Throws `Error` if a value of the request cannot be read.
MappedTable map_table(const Table& table, std::span<const OperationMapping> mappings,
                      std::span<const Format* const> formats, const MappingRequest& request = {});

/// Why no entry of the operation can become a row of these formats, whatever it contains; empty if entries
/// can. Considers the values in `given`.
std::string why_unmappable(const std::string& operation, std::span<const OperationMapping> mappings,
                           std::span<const Format* const> formats,
                           const std::map<std::string, std::string>& given);

}  // namespace adaptive::table::formats
