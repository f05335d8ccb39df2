// The content of a file of another system: the form between its text and a table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/variant.hpp>

#include "table/table.hpp"

namespace adaptive::inline v1::table::formats {

class Format;

/// Values by dimension: a size is a whole number, a label is its text, and a set of labels is its labels in
/// order, joined by "+".
using Shape = std::map<std::string, Parameter>;

/// The names of the members on the way from the document to a value.
using MemberPath = std::vector<std::string>;

/// Parameters that were measured.
struct Measured {
  Parameters parameters = {};
  VariantRecord record = {};
};

struct Row {
  Shape key = {};  ///< the dimensions that are not the same for the whole file
  /// Nothing if the tuner found that every variant fails.
  std::optional<Parameters> parameters = {};
  VariantRecord record = {};          ///< for these parameters; all zero if the file has no latency
  std::vector<Measured> others = {};  ///< slower parameters of the same key, and those that failed
  std::int64_t time = 0;              ///< seconds since 1970; 0: unknown
  MemberPath place = {};
  bool list = false;  ///< whether the file has the parameters as a list without names
};

/// What the user says about files that do not say it themselves, by option: {"key_names", "M,N,K"}.
using Given = std::map<std::string, std::string>;
inline constexpr const char* given_device = "device";  ///< of files that name none
inline constexpr const char* given_operation = "op";   ///< of files that measure an operation without a name
inline constexpr const char* given_key = "key";        ///< "m=16,n=64": of files that measure one key
inline constexpr const char* given_key_names = "key_names";  ///< "M,N,K": of values without names

struct Sheet {
  const Format* format = nullptr;
  std::string path = {};  ///< relative to the folder that was read, with '/'
  std::string text = {};
  std::string operation = {};
  std::string device = {};  ///< as in the file; empty if the file names none
  Shape fixed = {};         ///< values that hold for every row
  std::vector<Row> rows =
      {};  ///< in the order of the file; if several have the same key, the last one counts
  /// The file's defaults for keys without a row, by label.
  std::map<std::string, Parameters> defaults = {};
  bool lines = false;  ///< whether the file has several documents, one per line
  /// Versions of the software with which the rows were tuned, by the names that a fingerprint's libraries
  /// have: {"triton", "3.6.0"}.
  std::map<std::string, std::string> libraries = {};
  /// The dimensions of the operation, if the format does not know its operations (`names_operations`).
  std::vector<Dimension> dimensions = {};
  /// What the user said about the file, because it does not say so itself; see `ForeignFile::given`.
  Given given = {};

  /// All values of a row, with those that the file fixes.
  Shape key_of(const Row& row) const {
    Shape key = fixed;
    key.insert(row.key.begin(), row.key.end());
    return key;
  }
  /// "triton_3_5_1", or "." for the folder that was read.
  std::string_view folder() const {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string_view(".") : std::string_view(path).substr(0, slash);
  }
  std::string_view file_name() const { return std::string_view(path).substr(path.rfind('/') + 1); }
};

/// The version of a library; empty if the file does not say.
inline std::string version_of(const Sheet& sheet, const std::string& library) {
  const auto at = sheet.libraries.find(library);
  return at == sheet.libraries.end() ? std::string() : at->second;
}

/// The value as a size; nothing if it is not a size.
inline std::optional<std::int64_t> size_in(const Shape& shape, const std::string& dimension) {
  const auto at = shape.find(dimension);
  if (at == shape.end()) return std::nullopt;
  const auto* value = std::get_if<std::int64_t>(&at->second.value());
  return value == nullptr ? std::nullopt : std::optional(*value);
}

/// The value as a label; empty if there is none.
inline std::string label_in(const Shape& shape, const std::string& dimension) {
  const auto at = shape.find(dimension);
  if (at == shape.end()) return {};
  const auto* value = std::get_if<std::string>(&at->second.value());
  return value == nullptr ? std::string() : *value;
}

}  // namespace adaptive::table::formats
