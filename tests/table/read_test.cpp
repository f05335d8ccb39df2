// Tests that a valid table is read completely, with the example of docs/tables.md.
#include "table/table.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>

#include <adaptive/error.hpp>

#include "base/limits.hpp"
#include "sample_table.hpp"

namespace adaptive::inline v1::table {
namespace {

std::string documented_example() {
  const std::string page = file_text(ADAPTIVE_SOURCE_DIR "/docs/tables.md");
  const std::string fence = "```json\n";
  const std::size_t begin = page.find(fence) + fence.size();
  return page.substr(begin, page.find("```", begin) - begin);
}

TEST(Read, TheDocumentedExampleIsReadWithoutANotice) {
  const ReadResult result = parse(documented_example(), "tables.md");
  for (const Notice& notice : result.notices) ADD_FAILURE() << notice.where << ": " << notice.what;
  const Table& table = result.table;
  EXPECT_EQ(table.tool, "adaptive 0.1.0");
  EXPECT_EQ(table.fingerprint.device, "NVIDIA H200");
  EXPECT_EQ(table.fingerprint.libraries.at("cublaslt"), "13.1.0");
  const OperationTable& operation = table.operations.at("mixed_bit_matmul");
  ASSERT_EQ(operation.dimensions.size(), 3u);
  EXPECT_EQ(operation.dimensions[0].rounding, Rounding::power_of_two);
  EXPECT_EQ(operation.dimensions[1].weight, 0.5);
  EXPECT_EQ(operation.dimensions[2].kind, DimensionKind::label_set);
  EXPECT_EQ(operation.variants.at("tile64").at("tile"), Parameter(64));
  ASSERT_EQ(operation.entries.size(), 2u);
  const Entry& entry = operation.entries.at(Key{16, 4096, 0b0101});
  EXPECT_EQ(entry.key, (Key{16, 4096, 0b0101}));
  EXPECT_EQ(entry.incumbent, "tile64");
  EXPECT_EQ(entry.time, 1'769'847'300);
  EXPECT_EQ(entry.chosen_by, "697db8f40c0ffee");
  const VariantRecord& tile64 = entry.variants.at("tile64");
  EXPECT_EQ(static_cast<const Statistics&>(tile64),
            (Statistics{40, 42377.25, 90250.5, 42310.0, 1, 1'769'792'400}));
  ASSERT_EQ(tile64.shares.size(), 1u);
  EXPECT_EQ(tile64.shares[0].writer, "697db8f40c0ffee");
}

TEST(Read, TheDocumentedExampleIsPrintedAsItStands) {
  EXPECT_EQ(print(parse(documented_example(), "tables.md").table), documented_example());
}

TEST(Read, MembersMayStandInAnyOrder) {
  const ReadResult result = read(ADAPTIVE_SOURCE_DIR "/tests/table/data/sorted_by_jq.json");
  ASSERT_EQ(result.table.operations.at("op").entries.size(), 2u);
  EXPECT_EQ(result.table.operations.at("op").entries.at(Key{1}).incumbent, "a");
  ASSERT_EQ(result.notices.size(), 1u);  // only once, although the text is read twice
}

TEST(Read, WindowsLineEndsAndAByteOrderMarkAreNoFault) {
  const ReadResult result = read(ADAPTIVE_SOURCE_DIR "/tests/table/data/windows.json");
  EXPECT_TRUE(result.notices.empty());
  EXPECT_EQ(result.table.operations.at("op").entries.size(), 1u);
}

TEST(Read, LabelsInASetMayStandInAnyOrder) {
  const std::string head =
      R"({"schema": "adaptive-table", "version": 1, "operations": {"op": {"dimensions": [{"name": "bits", "kind": )"
      R"("label_set", "labels": ["2", "4", "8"]}], "variants": {"a": {}}, "entries": [{"key": {"bits": )";
  const std::string tail = R"(}, "incumbent": "a"}]}}})";
  EXPECT_EQ(parse(head + R"(["8", "2"])" + tail, "x").table,
            parse(head + R"(["2", "8", "2"])" + tail, "x").table);
}

TEST(Read, SetsReachTheirLastLabel) {
  std::vector<std::string> labels;
  for (int i = 0; i < 63; ++i) labels.push_back(std::to_string(i));
  Table table;
  OperationTable& operation = table.operations["op"];
  operation.name = "op";
  operation.dimensions = {set_dimension("s", labels)};
  const Key all{(std::int64_t{1} << 62) | ((std::int64_t{1} << 62) - 1)};
  operation.entries[all].key = all;
  EXPECT_EQ(parse(print(table), "x").table, table);
}

TEST(Read, ExtremesOfTheLimitsAreStillRead) {
  Table table = sample_table();
  OperationTable& operation = table.operations.at("mixed_bit_matmul");
  Entry& entry = operation.entries.begin()->second;
  entry.variants["reference"] = {std::uint64_t{1} << 53, 1e18, 1e36, 5e-324, std::uint64_t{1} << 53};
  entry.time = 253'402'300'799;
  operation.variants[std::string(1024, 'n')] = {{std::string(1024, 'p'), std::string(4096, 't')}};
  const ReadResult result = parse(print(table), "x");
  EXPECT_TRUE(result.notices.empty());
  EXPECT_EQ(result.table, table);
}

TEST(Read, TheSchemaFileIsNoUnknownField) {
  EXPECT_TRUE(
      parse(R"({"$schema": "x.json", "schema": "adaptive-table", "version": 1})", "x").notices.empty());
}

// The JSON schema is for users who check their tables with other tools. It must agree with the code.
TEST(Schema, RepeatsTheLimits) {
  const std::string schema = file_text(ADAPTIVE_SOURCE_DIR "/configs/schema/adaptive-table-2.schema.json");
  const auto says = [&](const std::string& what, auto value) {
    const std::string text = "\"" + what + "\": " + std::to_string(value);
    EXPECT_NE(schema.find(text), std::string::npos) << text;
  };
  says("const", Table::schema_version);
  says("maxLength", limits::name_bytes);
  says("maxLength", limits::text_bytes);
  says("maxProperties", limits::operations);
  says("maxProperties", limits::variants);
  says("maxItems", limits::labels);
  says("maxItems", limits::set_labels);
  says("maxItems", Key::capacity);
  says("maximum", limits::count);
}

TEST(Read, WhatIsNoFileIsRefused) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe.json").c_str(), 0600), 0);
  const auto problem = [](const std::filesystem::path& path) -> std::string {
    try {
      static_cast<void>(read(path));
    } catch (const Error& error) {
      EXPECT_EQ(error.where(), path.string());
      return error.problem();
    }
    return "nothing";
  };
  EXPECT_EQ(problem(folder / "missing.json"), "cannot be opened: No such file or directory");
  EXPECT_EQ(problem(folder.path()), "is a folder, not a table");
  EXPECT_EQ(problem(folder / "pipe.json"), "is not a regular file");
  EXPECT_EQ(problem("/dev/zero"), "is not a regular file");
}

TEST(Read, AFileBeyondTheLimitIsRefusedUnread) {
  const TemporaryFolder folder;
  write_text(folder / "huge.json", "{}");
  std::filesystem::resize_file(folder / "huge.json",
                               (std::uintmax_t{1} << 30) + 1);  // a sparse file, which needs no room on disk
  EXPECT_THROW(static_cast<void>(read(folder / "huge.json")), Error);
}

}  // namespace
}  // namespace adaptive::table
