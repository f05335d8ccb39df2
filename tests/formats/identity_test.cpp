// Tests that an export restores what was imported: import, export and import give the same table, and a file
// without changes is restored byte for byte.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include <nlohmann/json.hpp>

#include "tests/formats/sample_files.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

namespace fs = std::filesystem;

class Identity : public testing::TestWithParam<const char*> {};

void expect_identity(const fs::path& folder, const std::string& system) {
  const Imported first = import(folder, system);
  std::map<std::string, std::string> expected;
  for (const FileOutcome& file : first.files)
    if (file.refused.empty())
      expected.emplace(fs::path(file.path).lexically_relative(folder).generic_string(), file_text(file.path));
  ASSERT_FALSE(expected.empty()) << folder;
  EXPECT_EQ(export_to(first.table, system), expected);

  // Only the printed table is moved to another machine.
  const Table read_back = parse(print(first.table), "table").table;
  EXPECT_EQ(read_back, first.table);
  const std::map<std::string, std::string> exported = export_to(read_back, system);
  EXPECT_EQ(exported, expected);

  const TemporaryFolder again;
  for (const auto& [path, text] : exported) write_text(again / path, text);
  EXPECT_EQ(import(again.path(), system).table, first.table);
}

TEST_P(Identity, HoldsForOurSamples) {
  const TemporaryFolder folder;
  write_samples(folder, GetParam());
  const std::string system(GetParam());
  expect_identity(folder.path(), system == "sglang-grouped" ? "sglang" : system);
}

INSTANTIATE_TEST_SUITE_P(Formats, Identity,
                         testing::Values("vllm", "sglang", "sglang-grouped", "megablox", "metal-marlin",
                                         "tpu-inference", "pytorch", "triton", "kernel-tuner", "t4", "ktt",
                                         "flashinfer", "tensorrt-llm"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(IdentityOfRealFiles, HoldsForEveryOneThatIsGiven) {
  const char* const data = std::getenv("ADAPTIVE_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "ADAPTIVE_TEST_DATA is not set";
  const fs::path root = fs::path(data) / "tuned-configs";
  const std::map<std::string, std::string> systems = {
      {"vllm", "vllm"}, {"sglang", "sglang"}, {"iaas-sglang", "sglang"}, {"tpu-inference", "tpu-inference"}};
  for (const auto& [folder, system] : systems) expect_identity(root / folder, system);
  for (const auto& [file, system] : {std::pair{"m1024_k4096_n11008_g8.json", "megablox"},
                                     {"metal_marlin_documented.json", "metal-marlin"}}) {
    const fs::path path = root / "doc_samples" / file;
    EXPECT_EQ(export_to(import(path).table, system).at(file), file_text(path));
  }
}

// Compares contents, because the layout and the order of a file are in its text only.
TEST(IdentityOfRealFiles, HoldsForEveryTritonFileWithoutItsText) {
  const char* const data = std::getenv("ADAPTIVE_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "ADAPTIVE_TEST_DATA is not set";
  std::size_t compared = 0;
  for (const char* const system : {"vllm", "sglang"})
    for (const auto& file : fs::recursive_directory_iterator(fs::path(data) / "tuned-configs" / system)) {
      const std::string name = file.path().filename().string();
      if (!name.starts_with("E=") && !name.starts_with("N=")) continue;
      Table table = import(file.path(), system).table;
      table.foreign.clear();
      const std::map<std::string, std::string> files = export_to(table, system);
      ASSERT_TRUE(files.contains(name)) << name;
      EXPECT_EQ(nlohmann::json::parse(files.at(name)), nlohmann::json::parse(file_text(file.path()))) << name;
      ++compared;
    }
  EXPECT_GT(compared, 0u);
  RecordProperty("compared", static_cast<int>(compared));
}

// SGLang keeps configurations of kernels that another compiler tunes in the same folder.
TEST(IdentityOfRealFiles, OnlyFilesOfOtherKindsAreRefused) {
  const char* const data = std::getenv("ADAPTIVE_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "ADAPTIVE_TEST_DATA is not set";
  for (const FileOutcome& file : import(fs::path(data) / "tuned-configs").files) {
    const bool helion = file_text(file.path).find("helion.Config") != std::string::npos;
    EXPECT_EQ(file.refused.empty(), !helion) << file.path << ": " << file.refused;
  }
}

}  // namespace
}  // namespace adaptive::table::formats
