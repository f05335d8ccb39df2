// Fuzzes declarations of how our operations become rows of other systems (configs/mappings). Any bytes give a
// declaration or an Error with a place. A declaration is applied to a small table; the result can be printed
// and read again, and its files stay in their folder and can be read by their own formats.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/error.hpp>

#include "formats/export.hpp"
#include "formats/import.hpp"
#include "formats/mapping/mapped.hpp"
#include "formats/mapping/mapping.hpp"
#include "formats/text/file_name.hpp"
#include "table/table.hpp"
#include "tests/fuzz/fuzzers.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using namespace adaptive::table;
using namespace adaptive::table::formats;

Table table_of(const std::string& operation_name) {
  Table table;
  table.fingerprint.device = "NVIDIA H200";
  OperationTable& operation = table.operations[operation_name];
  operation.name = operation_name;
  operation.dimensions = {adaptive::size_dimension("m"), adaptive::size_dimension("n"),
                          adaptive::label_dimension("dtype", {"bfloat16", "float16"}),
                          adaptive::set_dimension("bits", {"2", "4", "8"})};
  operation.variants["a"] = {{"tile", 64}, {"split", 1}, {"kind", "plain"}, {"exact", true}};
  operation.variants["b"] = {{"tile", 32}, {"split", 2}, {"scale", 0.5}};
  for (const std::int64_t m : {0, 1, 17, 4096}) {
    const adaptive::Key key{m, 64 * m + 1, m % 2, 2 + m % 3};
    Entry& entry = operation.entries[key];
    entry.key = key;
    entry.incumbent = m % 2 == 0 ? "a" : "b";
  }
  return table;
}

}  // namespace

namespace adaptive::fuzz {

void check_mapping(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<OperationMapping> mappings;
  try {
    mappings.push_back(parse_mapping(text, "input"));
  } catch (const adaptive::Error& error) {
    REQUIRE(error.where().starts_with("input"));
    return;
  }
  const std::string& operation = mappings.front().operation;
  if (operation.size() > 1000) return;  // no table could have it
  MappingRequest request;
  for (const auto& [name, meaning] : mappings.front().given) request.given[name] = "2";
  for (const Format* format : all()) {
    const std::vector<const Format*> one = {format};
    MappedTable mapped;
    try {
      mapped = map_table(table_of(operation), mappings, one, request);
    } catch (const adaptive::Error&) {
      continue;  // a dimension that the other operation lacks
    }
    const ReadResult read = parse(print(mapped.table), "printed");
    REQUIRE(read.notices.empty());
    REQUIRE(read.table == mapped.table);
    if (mapped.mapped == 0) continue;
    for (ExportedFile& file : to_files(mapped.table, one).files) {
      REQUIRE(is_safe_path(file.path));
      std::vector<Notice> notices;
      try {
        read_sheet(std::move(file.text), file.path, file.path, one, true, notices);
      } catch (const adaptive::Error& error) {
        REQUIRE(error.code() == adaptive::ErrorCode::corrupt ||
                error.code() == adaptive::ErrorCode::unsupported);
      }
    }
  }
}

}  // namespace adaptive::fuzz
