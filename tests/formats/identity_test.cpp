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

// What the files say comes back from a table without their texts. Their layout does not, nor does the version
// of the compiler if the files of one folder disagree about it: a table has one fingerprint.
nlohmann::json content_of(const std::string& text) {
  nlohmann::json content = nlohmann::json::parse(text);
  content.erase("triton_version");
  return content;
}

void expect_contents_without_texts(const fs::path& folder, const std::string& system) {
  Imported imported = import(folder, system);
  imported.table.foreign.clear();
  const std::map<std::string, std::string> exported = export_to(imported.table, system);
  std::size_t expected = 0;
  for (const FileOutcome& file : imported.files) {
    if (!file.refused.empty()) continue;
    ++expected;
    const std::string path = fs::path(file.path).lexically_relative(folder).generic_string();
    ASSERT_TRUE(exported.contains(path)) << folder << " " << path;
    EXPECT_EQ(content_of(exported.at(path)), content_of(file_text(file.path))) << path;
  }
  EXPECT_EQ(exported.size(), expected) << folder;
}

TEST(IdentityWithoutTexts, HoldsForRareFieldsOfNames) {
  const TemporaryFolder folder;
  for (const char* name : {"E=8,N=64,device_name=X,dtype=int4_w4a16,backend=flydsl.json",
                           "E=8,N=64,device_name=X,dtype=int4_w4a16.json", "E=8,N=64,device_name=Y.json",
                           "E=8,N=64,device_name=X,layout=new.json"})
    write_text(folder / name, R"({"1": {"BLOCK_SIZE_M": 16, "num_warps": 4}})");
  expect_contents_without_texts(folder.path(), "vllm");
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

// As a table that has lost its texts, of all devices, versions and kinds of a folder at once.
TEST(IdentityOfRealFiles, HoldsForWholeFoldersWithoutTheirTexts) {
  const char* const data = std::getenv("ADAPTIVE_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "ADAPTIVE_TEST_DATA is not set";
  for (const auto& [folder, system] : {std::pair{"vllm/fused_moe/configs", "vllm"},
                                       {"vllm/w8a8_block/configs", "vllm"},
                                       {"sglang/fused_moe_triton/configs", "sglang"},
                                       {"sglang/quantization/configs", "sglang"}})
    expect_contents_without_texts(fs::path(data) / "tuned-configs" / folder, system);
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
