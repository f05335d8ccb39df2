#include "tests/structure/tree_rules.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <regex>
#include <stdexcept>
#include <string_view>

namespace adaptive::structure {
namespace {

namespace fs = std::filesystem;

// A layer and its folder: `folder` ends with '/'.
struct Layer {
  std::string_view name;
  std::string_view folder;
};

// From bottom to top: a layer may include itself and every layer before it.
const std::vector<Layer>& layers() {
  static const std::vector<Layer> all = {
      {"public", "include/adaptive/"}, {"kernels", "kernels/"},       {"base", "src/base/"},
      {"json", "src/json/"},           {"files", "src/files/"},       {"table", "src/table/"},
      {"redis", "src/store/redis/"},   {"store", "src/store/"},       {"formats", "src/formats/"},
      {"policies", "policies/"},       {"prior", "src/prior/"},       {"learning", "src/learning/"},
      {"operation", "src/operation/"}, {"cuda", "src/cuda/"},         {"metrics", "src/watch/metrics/"},
      {"watch", "src/watch/"},         {"selector", "src/selector/"}, {"c", "src/c/"},
      {"replay", "src/replay/"},       {"tuning", "src/tuning/"},     {"cli", "src/cli/"},
  };
  return all;
}

// The kernels are separate: they include no file of the library, and the library includes none of theirs.
bool may_include(const Layer& layer, const Layer& other) {
  if (layer.name == other.name) return true;
  if (layer.name == "kernels") return false;
  if (other.name == "kernels") return layer.name == "tuning" || layer.name == "cli";
  return &other < &layer;
}

// A third-party package, identified by the beginning of its header names, and the only layers that may
// include it.
struct Package {
  std::string_view name;
  std::vector<std::string_view> prefixes;
  std::vector<std::string_view> layers;
};

const std::vector<Package>& packages() {
  static const std::vector<Package> all = {
      {"CUDA",
       {"cuda", "cublas", "cupti", "curand", "cooperative_groups", "mma.h", "nvml", "nvtx3/", "cub/",
        "thrust/", "nvrtc", "driver_types.h", "generated_cuda"},
       {"cuda", "kernels"}},
      {"nlohmann_json", {"nlohmann/"}, {"json", "table", "store", "formats", "watch", "cli"}},
      {"Boost", {"boost/"}, {"base", "learning", "operation", "replay", "tuning"}},
      {"Eigen", {"Eigen/", "unsupported/Eigen/"}, {"policies", "learning", "kernels"}},
      {"hiredis", {"hiredis/"}, {"redis"}},
      {"prometheus-cpp", {"prometheus/"}, {"metrics"}},
      {"CLI11", {"CLI/"}, {"cli"}},
      {"fmt", {"fmt/"}, {"cli"}},
  };
  return all;
}

bool contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const Layer* layer_of(const std::string& path) {
  for (const Layer& layer : layers()) {
    if (path.starts_with(layer.folder)) return &layer;
  }
  return nullptr;
}

const Package* package_of(const std::string& header) {
  for (const Package& package : packages()) {
    for (std::string_view prefix : package.prefixes) {
      if (header.starts_with(prefix)) return &package;
    }
  }
  return nullptr;
}

// The public headers for CUDA. Of all public headers, only these may include the toolkit and each other.
bool is_public_cuda(const std::string& path) {
  return path == "include/adaptive/cuda.hpp" || path.starts_with("include/adaptive/cuda/");
}

// <vector>, <cstdint>: headers of the C++ library have neither a folder nor a file extension.
bool is_standard(const std::string& header) {
  return header.find_first_of("./") == std::string::npos;
}

// The public headers for C, which include headers of the C library.
bool is_public_c(const std::string& path) {
  return path.starts_with("include/adaptive/") && path.ends_with(".h");
}
bool is_standard_c(const std::string& header) {
  constexpr std::array<std::string_view, 3> headers = {"stdbool.h", "stddef.h", "stdint.h"};
  return std::find(headers.begin(), headers.end(), header) != headers.end();
}

// <unistd.h>, <sys/mman.h>, <immintrin.h>: headers of the platform.
bool is_system(const std::string& header) {
  constexpr std::array<std::string_view, 5> folders = {"sys/", "linux/", "asm/", "net/", "arpa/"};
  if (header.find('/') == std::string::npos) return header.ends_with(".h");
  return std::any_of(folders.begin(), folders.end(),
                     [&](std::string_view folder) { return header.starts_with(folder); });
}

// Describes what is wrong with `file` including `header`. Empty if the include line is correct.
std::string judge_include(const fs::path& root, const std::string& file, const Layer& layer,
                          const std::string& header) {
  const std::string who(layer.name);
  if (const std::optional<std::string> target = file_of_include(root, file, header)) {
    const Layer* other = layer_of(*target);
    if (other == nullptr) return who + " may not include " + *target + ", which is in no layer";
    if (layer.name == "public" && is_public_cuda(*target) && !is_public_cuda(file)) {
      return "a header without CUDA may not include " + *target;
    }
    if (may_include(layer, *other)) return {};
    return who + " may not include " + std::string(other->name) + " (" + *target + ")";
  }

  if (const Package* package = package_of(header)) {
    if (contains(package->layers, layer.name)) return {};
    if (package->name == "CUDA" && (is_public_cuda(file) || layer.name == "cli")) return {};
    return who + " may not include " + std::string(package->name) + " (" + header + ")";
  }
  if (is_standard(header) || (is_public_c(file) && is_standard_c(header))) return {};
  if (layer.name == "public") return "a public header includes only the C++ library and ours, not " + header;
  if (is_system(header)) return {};
  return who + " includes " + header + ", which is no file of ours and no known dependency";
}

bool is_source(const fs::path& path) {
  constexpr std::array<std::string_view, 8> endings = {".hpp", ".cpp", ".h",   ".cu",
                                                       ".cuh", ".inc", ".inl", ".cmake"};
  return std::find(endings.begin(), endings.end(), path.extension().string()) != endings.end() ||
         path.filename() == "CMakeLists.txt";
}

// All symbols that a program links against are in the inline namespace of the ABI, so that two versions share
// no symbol.
std::string judge_namespace(const Layer& layer, const std::string& line) {
  static const std::regex opening(R"(^namespace adaptive(?!::inline v1\b))");
  if (layer.name == "kernels" || !std::regex_search(line, opening)) return {};
  return "write `namespace adaptive::inline v1`";
}

void check_file(const fs::path& root, const std::string& file, Report& report) {
  static const std::regex include_line(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"])");
  std::ifstream stream(root / file);
  if (!stream) throw std::runtime_error("cannot read " + (root / file).string());
  ++report.files;

  const Layer* layer = layer_of(file);
  if (layer == nullptr && file.starts_with("src/") && !file.ends_with("CMakeLists.txt"))
    report.violations.push_back({file, 1, "the file is in no layer"});
  std::size_t line_number = 0;
  std::string line;
  std::smatch match;
  while (std::getline(stream, line)) {
    ++line_number;
    if (layer == nullptr) continue;
    if (std::string message = judge_namespace(*layer, line); !message.empty())
      report.violations.push_back({file, line_number, std::move(message)});
    if (!std::regex_search(line, match, include_line)) continue;
    ++report.includes;
    std::string message = judge_include(root, file, *layer, match[1].str());
    if (!message.empty()) report.violations.push_back({file, line_number, std::move(message)});
  }
  if (line_number > lines_max) {
    report.violations.push_back({file, line_number,
                                 "the file has " + std::to_string(line_number) + " lines; the limit is " +
                                     std::to_string(lines_max)});
  }
}

}  // namespace

Report check_tree(const fs::path& root) {
  Report report;
  std::vector<std::string> files;
  for (const char* folder :
       {"include", "src", "policies", "kernels", "tests", "bench", "examples", "cmake", "python"}) {
    if (!fs::is_directory(root / folder)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.is_regular_file() && is_source(entry.path())) {
        files.push_back(fs::relative(entry.path(), root).generic_string());
      }
    }
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) check_file(root, file, report);
  return report;
}

std::string to_text(const Report& report) {
  return to_text(report.violations);
}

}  // namespace adaptive::structure
