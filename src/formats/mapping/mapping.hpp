// How entries of an operation become rows of another system's files, as data.
//
// A file declares the mappings of one operation. configs/mappings has those of the kernel families:
//
//   {"operation": "grouped_gemm",
//    "given": {"top_k": "number of experts of a token"},
//    "mappings": [{"to": "fused_moe",
//                  "where": {"split": 1},
//                  "key": {"m": {"of": "tokens", "over": "top_k"}, "E": "experts",
//                          "dtype": {"of": "dtype", "is": {"bfloat16": "none", "float16": "none"}}},
//                  "parameters": {"BLOCK_SIZE_M": "rows"}}]}
//
// docs/formats.md documents the fields.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/variant.hpp>

namespace adaptive::inline v1::table::formats {

/// A whole number, or the name of one.
struct Factor {
  std::string name = {};  ///< empty: `number`
  std::int64_t number = 1;
};

/// A value of a row: a constant, or a value of the entry that may be translated or multiplied.
struct Term {
  std::string of = {};  ///< the name of the value; empty: `constant`
  Parameter constant = {};
  /// The spelling of each value that has one; values that are not listed have none. Empty: as it is.
  std::map<std::string, Parameter> is = {};
  Factor times = {};
  Factor over = {};
};

/// The rows of one foreign operation.
struct Mapping {
  std::string to = {};                          ///< the foreign operation
  std::string refused = {};                     ///< why no entry can be expressed; empty: entries can be
  std::string row = {};                         ///< an entry has one row of each name
  std::string system = {};                      ///< the only format with this row; empty: any
  std::map<std::string, Term> where = {};       ///< values that an entry must have
  std::map<std::string, Term> key = {};         ///< by dimension of the foreign operation
  std::map<std::string, Term> parameters = {};  ///< by name of the foreign parameter
};

struct OperationMapping {
  std::string operation = {};
  /// Values that entries do not have and the user must give, with their meanings.
  std::map<std::string, std::string> given = {};
  /// If several lead to the same operation and the same row, the first one that fits an entry counts.
  std::vector<Mapping> mappings = {};
};

/// Reads a declaration. `source` is its name in messages. A declaration that does not name its operation is
/// that of `operation`; with an empty `operation` it must name one. Throws `Error` with `source` and the line
/// or a JSON pointer, also if it names another operation than a given one.
OperationMapping parse_mapping(std::string_view text, const std::string& source,
                               const std::string& operation = {});

/// The text of a program's declaration as a table stores it: on one line, without the name of the operation.
/// Empty for an empty text. Throws as `parse_mapping`.
std::string stored_mapping(std::string_view text, const std::string& operation);

}  // namespace adaptive::table::formats
