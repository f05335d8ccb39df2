// Compares look-ups in the real configuration files with the systems' own rule, which is transcribed here
// from their sources and shares no code with the library: the name of the file from what the engine knows,
// then the row with the nearest batch. Half of the questions are about files that do not exist.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <ostream>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>

#include "selector/lookup.hpp"
#include "tests/formats/sample_files.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;  // keeps the order of the file, as a Python dictionary does

/// What an engine knows when it asks. Labels are empty where the engine has none.
struct Launch {
  std::map<std::string, std::int64_t> sizes = {};  ///< E and N, or N and K
  std::string device = {};                         ///< as the vendor prints it
  std::string dtype = {};
  std::string block = {};  ///< "128,128"
  bool per_channel = false;
  std::string backend = {};
  bool down = false;
  std::string version = {};  ///< of Triton, for SGLang
  std::int64_t m = 0;
};

struct Expected {
  std::string path = {};  ///< empty: the engine uses its default
  std::int64_t row = 0;
  std::string parameters = {};  ///< JSON
  /// The file is of another device (vLLM gives every H200 the same files), of another version of Triton, or
  /// of the other projection.
  bool is_substitute = false;
};

std::string joined_device(const std::string& device) {
  return std::regex_replace(device, std::regex("[\\s/]+"), "_");
}

std::string vllm_device(const std::string& device) {
  const std::string name = joined_device(device);
  return std::regex_search(name, std::regex("(^|_)H200(_|$)")) ? "NVIDIA_H200" : name;
}

std::string file_name(const Launch& launch, const std::string& device, const std::string& block_separator) {
  std::string name;
  for (const char* size : {"E", "N", "K"})
    if (launch.sizes.contains(size))
      name += (name.empty() ? "" : ",") + std::string(size) + "=" + std::to_string(launch.sizes.at(size));
  name += ",device_name=" + device;
  if (!launch.dtype.empty()) name += ",dtype=" + launch.dtype;
  if (!launch.block.empty())
    name += ",block_shape=[" + std::regex_replace(launch.block, std::regex(","), block_separator) + "]";
  if (launch.per_channel) name += ",per_channel_quant=True";
  if (!launch.backend.empty()) name += ",backend=" + launch.backend;
  return name + (launch.down ? "_down" : "") + ".json";
}

Json row_nearest_to(const fs::path& file, std::int64_t m, std::int64_t& batch) {
  std::ifstream stream(file);
  const Json document = Json::parse(stream);
  std::optional<std::int64_t> least;
  Json found;
  for (const auto& [name, value] : document.items()) {
    if (name == "triton_version") continue;
    const std::int64_t size = std::stoll(name);
    const std::int64_t difference = size > m ? size - m : m - size;
    if (least && difference >= *least) continue;
    least = difference;
    batch = size;
    found = value;
  }
  return found;
}

class UpstreamFolder {
 public:
  UpstreamFolder(fs::path root, bool versions) : root_(std::move(root)), versions_(versions) {
    for (const auto& entry : fs::recursive_directory_iterator(root_))
      if (entry.path().extension() == ".json" &&
          entry.path().filename().string().find('=') != std::string::npos)
        files_.insert(entry.path().lexically_relative(root_).generic_string());
  }

  const std::set<std::string>& files() const { return files_; }

  /// Newest first.
  std::vector<std::string> version_folders() const {
    std::map<std::vector<int>, std::string> sorted;
    for (const std::string& file : files_) {
      std::smatch parts;
      if (std::regex_match(file, parts, std::regex("triton_(\\d+)_(\\d+)_(\\d+)/.*")))
        sorted[{std::stoi(parts[1]), std::stoi(parts[2]), std::stoi(parts[3])}] =
            file.substr(0, file.find('/'));
    }
    std::vector<std::string> folders;
    for (auto at = sorted.rbegin(); at != sorted.rend(); ++at) folders.push_back(at->second);
    return folders;
  }

  Expected ask(const Launch& launch, bool is_vllm) const {
    const std::string device = is_vllm ? vllm_device(launch.device) : joined_device(launch.device);
    Expected expected;
    expected.path = find(file_name(launch, device, is_vllm ? "," : ", "), launch.version);
    Launch up = launch;
    up.down = false;
    const std::string up_path = launch.down ? find(file_name(up, device, ", "), launch.version) : "";
    const bool reuses = launch.down && expected.path.empty();
    if (reuses) expected.path = up_path;
    if (expected.path.empty()) return expected;
    Json parameters = row_nearest_to(root_ / expected.path, launch.m, expected.row);
    if (launch.down && !reuses && !up_path.empty()) {
      std::int64_t ignored = 0;
      parameters["BLOCK_SIZE_M"] = row_nearest_to(root_ / up_path, launch.m, ignored).at("BLOCK_SIZE_M");
    }
    for (const char* popped : {"USE_BLOCKWISE_FP8_MOE", "BLOCKWISE_FP8_MOE_CONFIG"}) parameters.erase(popped);
    expected.parameters = parameters.dump();
    expected.is_substitute = device != joined_device(launch.device) || reuses ||
                             (versions_ && !launch.version.empty() &&
                              !expected.path.starts_with(folder_of_version(launch.version) + "/"));
    return expected;
  }

 private:
  static std::string folder_of_version(const std::string& version) {
    return "triton_" + std::regex_replace(version, std::regex("\\."), "_");
  }

  std::string find(const std::string& name, const std::string& version) const {
    if (!versions_) return files_.contains(name) ? name : "";
    std::vector<std::string> folders = version_folders();
    if (!version.empty()) folders.insert(folders.begin(), folder_of_version(version));
    for (const std::string& folder : folders) {
      std::string path = (fs::path(folder) / name).generic_string();
      if (files_.contains(path)) return path;
    }
    return "";
  }

  fs::path root_;
  bool versions_ = false;
  std::set<std::string> files_;
};

Launch launch_of(const std::string& path) {
  Launch launch;
  std::string name = path.substr(path.rfind('/') + 1);
  name.resize(name.size() - 5);
  if (name.ends_with("_down")) {
    launch.down = true;
    name.resize(name.size() - 5);
  }
  const auto text = [&](const std::string& field) {
    std::smatch found;
    const std::regex pattern("(?:^|,)" + field + "=([^,\\[]*|\\[[^\\]]*\\])(?:,|$)");
    return std::regex_search(name, found, pattern) ? found[1].str() : std::string();
  };
  for (const char* size : {"E", "N", "K"})
    if (const std::string value = text(size); !value.empty()) launch.sizes[size] = std::stoll(value);
  // The name with '_' is as good as the vendor's: engines leave it as it is.
  launch.device = std::regex_replace(text("device_name"), std::regex("_"), " ");
  launch.dtype = text("dtype");
  launch.block = std::regex_replace(text("block_shape"), std::regex("[\\[\\] ]"), "");
  launch.per_channel = text("per_channel_quant") == "True";
  launch.backend = text("backend");
  return launch;
}

/// The file's own launch at several batches, and launches that differ from it in one thing each, for most of
/// which there is no file.
std::vector<Launch> launches_near(const Launch& own, bool is_vllm, const std::vector<std::string>& versions) {
  std::vector<Launch> launches;
  const auto add = [&](auto&& change, std::initializer_list<std::int64_t> batches) {
    for (const std::int64_t m : batches) {
      Launch launch = own;
      change(launch);
      launch.m = m;
      launches.push_back(launch);
    }
  };
  add([](Launch&) {}, {1, 64, 777, 8192});
  add([](Launch& l) { l.dtype.clear(); }, {64, 8192});
  add([](Launch& l) { l.dtype = l.dtype == "int8_w8a8" ? "fp8_w8a8" : "int8_w8a8"; }, {64, 8192});
  add([](Launch& l) { l.block.clear(); }, {64});
  add([](Launch& l) { l.block = "64,64"; }, {64});
  add([](Launch& l) { l.device = "NVIDIA H200 NVL"; }, {64});
  add([](Launch& l) { l.device = "NVIDIA H100 80GB HBM3 MIG 1g.10gb"; }, {64});
  add([](Launch& l) { l.device = ""; }, {64});
  add([](Launch& l) { l.sizes["N"] += 64; }, {64});
  if (own.sizes.contains("E")) {
    add([](Launch& l) { l.sizes["E"] += 1; }, {64});
    add([](Launch& l) { l.per_channel = !l.per_channel; }, {64});
    if (is_vllm) add([](Launch& l) { l.backend = l.backend.empty() ? "flydsl" : ""; }, {64});
    if (!is_vllm) add([](Launch& l) { l.down = !l.down; }, {64});
  }
  if (!versions.empty()) {
    add([&](Launch& l) { l.version = "9.9.9"; }, {64});
    add([&](Launch& l) { l.version = std::regex_replace(versions.back().substr(7), std::regex("_"), "."); },
        {64});
  }
  return launches;
}

std::map<std::string, std::string> key_of(const Launch& launch, bool is_vllm) {
  std::map<std::string, std::string> key = {{"m", std::to_string(launch.m)}, {"device_name", launch.device}};
  for (const auto& [name, size] : launch.sizes) key[name] = std::to_string(size);
  if (!launch.dtype.empty()) key["dtype"] = launch.dtype;
  if (!launch.block.empty()) key["block_shape"] = "[" + launch.block + "]";
  if (launch.per_channel) key["per_channel_quant"] = is_vllm ? "True" : "true";
  if (!launch.backend.empty()) key["backend"] = launch.backend;
  if (launch.down) key["projection"] = "down";
  return key;
}

struct Count {
  std::size_t asked = 0, absent = 0, like = 0, own = 0;
};

class UpstreamLookUp {
 public:
  UpstreamLookUp(const fs::path& root, std::string system, bool versions)
      : folder_(root, versions),
        system_(std::move(system)),
        is_vllm_(system_ == "vllm"),
        table_(import(root, system_).table) {
    if (versions) versions_ = folder_.version_folders();
  }

  /// Asks one launch in `stride`; which kinds of launches are asked changes from file to file.
  void ask_all(Count& count, std::size_t stride) {
    std::size_t turn = 0;
    for (const std::string& file : folder_.files()) {
      for (const Launch& launch : launches_near(launch_of(file), is_vllm_, versions_))
        if (turn++ % stride == 0) ask(launch, count);
    }
  }

 private:
  void ask(const Launch& launch, Count& count) {
    const Expected expected = folder_.ask(launch, is_vllm_);
    ++count.asked;
    if (expected.path.empty()) ++count.absent;
    const LookupRequest request{"", key_of(launch, is_vllm_), launch.version, 1.0};
    std::string asked = system_;
    for (const auto& [name, value] : request.key) asked.append(" ").append(name).append("=").append(value);
    asked += " version=" + launch.version;
    const auto check = [&](std::size_t& wrong, const char* rule, auto&& look_up_by_rule, auto&& is_right) {
      std::string got;
      try {
        const LookupResult result = look_up_by_rule();
        if (is_right(result)) return;
        got = std::string(to_string(result.match)) + " " + result.source + " " + result.parameters;
      } catch (const Error& error) {
        got = error.what();
      }
      if (++wrong <= 20)
        ADD_FAILURE() << rule << ": " << asked << "\n  wanted " << expected.path << " row " << expected.row
                      << " " << expected.parameters << "\n  got " << got;
    };
    check(
        count.like, "--like", [&] { return look_up_like(table_, request, system_); },
        [&](const LookupResult& result) { return is_theirs(result, launch, expected); });
    check(
        count.own, "own", [&] { return look_up(table_, request); },
        [&](const LookupResult& result) { return is_sound(result, launch, expected); });
  }

  static bool is_theirs(const LookupResult& result, const Launch& launch, const Expected& expected) {
    if (expected.path.empty()) return result.match == MatchKind::fallback && !result.variant;
    const bool exact = expected.row == launch.m && !expected.is_substitute;
    return result.source == expected.path &&
           result.match == (exact ? MatchKind::exact : MatchKind::nearest) &&
           same(result.parameters, expected.parameters);
  }

  // The library's own rule takes the same file, but no row that is far away, and no other shape as an exact
  // one.
  static bool is_sound(const LookupResult& result, const Launch& launch, const Expected& expected) {
    const bool exact = !expected.path.empty() && expected.row == launch.m && !expected.is_substitute &&
                       launch.down == expected.path.ends_with("_down.json");
    if (!exact) return result.match != MatchKind::exact;
    if (result.match != MatchKind::exact) return false;
    return launch.down || same(result.parameters, expected.parameters);
  }

  static bool same(const std::string& parameters, const std::string& expected) {
    return nlohmann::json::parse(parameters) == nlohmann::json::parse(expected);
  }

  UpstreamFolder folder_;
  std::string system_;
  bool is_vllm_;
  Table table_;
  std::vector<std::string> versions_;
};

struct Place {
  const char* folder;
  const char* system;
  bool versions;
  std::size_t stride;  ///< a look-up in the largest folder takes a hundredth of a second
};

void PrintTo(const Place& place, std::ostream* out) {
  *out << place.folder;
}

class LookUpInRealFiles : public testing::TestWithParam<Place> {};

TEST_P(LookUpInRealFiles, AnswersAsTheirOwnRule) {
  const char* const data = std::getenv("ADAPTIVE_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "ADAPTIVE_TEST_DATA is not set";
  const fs::path root = fs::path(data) / "tuned-configs" / GetParam().folder;
  Count count;
  UpstreamLookUp(root, GetParam().system, GetParam().versions).ask_all(count, GetParam().stride);
  RecordProperty("asked", static_cast<int>(count.asked));
  RecordProperty("absent", static_cast<int>(count.absent));
  RecordProperty("wrong_by_their_rule", static_cast<int>(count.like));
  RecordProperty("wrong_by_the_own_rule", static_cast<int>(count.own));
  EXPECT_GT(count.asked, count.absent);
  EXPECT_GE(count.absent, count.asked / 4);
  EXPECT_EQ(count.like, 0u) << "wrong by their rule, of " << count.asked;
  EXPECT_EQ(count.own, 0u) << "wrong by the library's rule, of " << count.asked;
}

INSTANTIATE_TEST_SUITE_P(Folders, LookUpInRealFiles,
                         testing::Values(Place{"vllm/fused_moe/configs", "vllm", false, 1},
                                         Place{"vllm/w8a8_block/configs", "vllm", false, 1},
                                         Place{"sglang/fused_moe_triton/configs", "sglang", true, 3},
                                         Place{"sglang/quantization/configs", "sglang", false, 1}));

}  // namespace
}  // namespace adaptive::table::formats
