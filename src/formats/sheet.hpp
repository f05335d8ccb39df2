// What a file of another system says, in our words: the form between its text and a table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/variant.hpp>

#include "table/table.hpp"

namespace adaptive::table::formats {

class Format;

/// Values by dimension: a size is a whole number, a label its text, a set of labels the labels joined by "+"
/// in their order.
using Shape = std::map<std::string, Parameter>;

/// The names of the members from the document down to a value.
using MemberPath = std::vector<std::string>;

struct Row {
  Shape key = {};  ///< the dimensions that the file as a whole does not fix
  /// Nothing where the tuner found that every variant fails.
  std::optional<Parameters> parameters = {};
  VariantRecord record = {};  ///< of these parameters; all zero where the file stores no latency
  std::int64_t time = 0;      ///< seconds since 1970; 0 unknown
  MemberPath place = {};
  bool list = false;  ///< the file has it as a list, without names
};

struct Sheet {
  const Format* format = nullptr;
  std::string path = {};  ///< below the folder that was read, with '/'
  std::string text = {};
  std::string operation = {};
  std::string device = {};     ///< as the file names it; empty where it does not
  Shape fixed = {};            ///< what holds for every row
  std::vector<Row> rows = {};  ///< in the order of the file; of rows with the same key the last one counts
  /// What the file has for keys without a row, by label.
  std::map<std::string, Parameters> defaults = {};
  bool lines = false;  ///< several documents, one a line
  /// Of the compiler that the rows were tuned with, "3.6.0"; empty where the file does not say.
  std::string triton_version = {};

  /// All dimensions of a row.
  Shape key_of(const Row& row) const {
    Shape key = fixed;
    key.insert(row.key.begin(), row.key.end());
    return key;
  }
  /// "triton_3_5_1", "." for the folder that was read itself.
  std::string_view folder() const {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string_view(".") : std::string_view(path).substr(0, slash);
  }
  std::string_view file_name() const { return std::string_view(path).substr(path.rfind('/') + 1); }
};

/// The value as a size; nothing where it is none.
inline std::optional<std::int64_t> size_in(const Shape& shape, const std::string& dimension) {
  const auto at = shape.find(dimension);
  if (at == shape.end()) return std::nullopt;
  const auto* value = std::get_if<std::int64_t>(&at->second.value());
  return value == nullptr ? std::nullopt : std::optional(*value);
}

/// The value as a label; empty where there is none.
inline std::string label_in(const Shape& shape, const std::string& dimension) {
  const auto at = shape.find(dimension);
  if (at == shape.end()) return {};
  const auto* value = std::get_if<std::string>(&at->second.value());
  return value == nullptr ? std::string() : *value;
}

}  // namespace adaptive::table::formats
