// Fuzzes the reader of tables. Any bytes give a table or an Error. A table that was read is printed and read
// again without a fault or a change, and merging it with itself changes nothing. Listing all faults finds a
// fault whenever reading does, and the same ones if the text is JSON.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <adaptive/error.hpp>

#include "table/merging/merge.hpp"
#include "table/merging/ownership.hpp"
#include "table/table.hpp"
#include "tests/fuzz/fuzzers.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using namespace adaptive::table;

auto faults_of(const std::vector<Notice>& notices) {
  return std::count_if(notices.begin(), notices.end(),
                       [](const Notice& notice) { return notice.level >= adaptive::LogLevel::warning; });
}

}  // namespace

namespace adaptive::fuzz {

void check_table(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto faults = faults_of(validate(text, "input"));
  ReadResult read;
  try {
    read = parse(text, "input");
  } catch (const adaptive::Error&) {
    REQUIRE(faults > 0);
    return;
  }
  REQUIRE(faults == faults_of(read.notices));
  const ReadResult again = parse(print(read.table), "printed");
  REQUIRE(again.notices.empty());
  REQUIRE(again.table == read.table);
  cut(read.table, writers_max());  // as every merge does
  Table twice = read.table;
  merge(twice, read.table);
  REQUIRE(twice == read.table);
}

}  // namespace adaptive::fuzz
