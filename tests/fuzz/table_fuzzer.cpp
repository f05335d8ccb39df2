// The reader of tables: whatever the bytes are, a table or an Error; what was read is printed and read again
// without a fault or a change; merging it with itself changes nothing.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <adaptive/error.hpp>

#include "table/merge.hpp"
#include "table/table.hpp"
#include "tests/fuzz/require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace adaptive::table;
  ReadResult read;
  try {
    read = parse({reinterpret_cast<const char*>(data), size}, "input");
  } catch (const adaptive::Error&) {
    return 0;
  }
  const ReadResult again = parse(print(read.table), "printed");
  REQUIRE(again.notices.empty());
  REQUIRE(again.table == read.table);
  Table twice = read.table;
  merge(twice, read.table);
  REQUIRE(twice == read.table);
  return 0;
}
