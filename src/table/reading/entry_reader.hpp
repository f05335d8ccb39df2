// Reads one entry of a table: its key, its incumbent and its records.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "json/checks.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// Reads the entries of one operation. Its dimensions and variants must have been read before.
class EntryReader {
 public:
  EntryReader(OperationTable& operation, const Checks& checks);

  void read(JsonValue value, const Path& path);

 private:
  /// The variant that `value` names. If it is not declared: nothing, and a notice that ends with
  /// `consequence`.
  std::optional<std::string> incumbent(JsonValue value, const Path& path, const char* consequence) const;
  std::optional<Origin> origin(JsonValue value, const Path& path) const;
  std::optional<std::int64_t> time(JsonValue value, const Path& path) const;
  void claims(JsonValue value, const Path& path, Entry& entry) const;
  void generations(JsonValue value, const Path& path, Entry& entry) const;
  std::optional<Key> key(JsonValue value, const Path& path) const;
  std::optional<std::int64_t> key_value(std::size_t dimension, JsonValue value, const Path& path) const;
  std::optional<std::int64_t> label(std::size_t dimension, JsonValue value, const Path& path) const;
  void records(JsonValue value, const Path& path, Entry& entry) const;
  std::optional<VariantRecord> record(JsonValue value, const Path& path) const;
  VariantRecord record(JsonValue writers, const Path& path, const Statistics& total) const;
  std::optional<std::string_view> writer_name(JsonValue value, const Path& path) const;
  bool writer_name(std::string_view name, std::size_t offset, const Path& path) const;
  bool named_writer(std::string_view name, std::size_t offset, const Path& path) const;
  /// Reads the quantiles into `statistics`, which has the count that they must belong to.
  void recent(JsonValue value, const Path& path, Statistics& statistics) const;
  /// `fields` are count, mean, variance, location, failures, the time of the latest failure, and the
  /// quantiles.
  Statistics statistics(const std::array<std::optional<JsonValue>, 7>& fields, JsonValue value,
                        const Path& path) const;

  OperationTable& operation_;
  const Checks& checks_;
  std::vector<std::map<std::string_view, std::int64_t>> labels_;  // for each dimension: index by label
};

}  // namespace adaptive::table
