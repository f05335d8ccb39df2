#include "formats/systems/vllm.hpp"

#include <algorithm>
#include <string>

#include "formats/nearest.hpp"
#include "formats/systems/triton.hpp"
#include "formats/text/file_name.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

bool in_legacy(const Sheet& sheet) {
  return sheet.folder().ends_with("legacy_configs");
}

bool in_version(const Sheet& sheet) {
  const std::string_view folder = sheet.folder();
  return folder.substr(folder.rfind('/') + 1).starts_with("triton_");
}

class Vllm final : public TritonFormat {
 public:
  std::string_view name() const noexcept override { return "vllm"; }

  bool recognises_path(std::string_view path) const override {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    return name.ends_with(".json") &&
           (name.starts_with("E=") || name.starts_with("N=") || name.starts_with("headdim=")) &&
           parse_fields(name.substr(0, name.size() - 5)).has_value();
  }

  // SGLang takes every member for a row, so only files of vLLM name the version.
  std::string empty_document(const Sheet& sheet) const override {
    const std::string version = version_of(sheet, "triton");
    return version.empty() ? "{}" : "{\"triton_version\": " + print_json(Parameter(version)) + "}";
  }

  bool takes_other_versions() const noexcept override { return false; }

  // There are several names for H200, which share their tables.
  std::string device_in_names(const std::string& device) const override {
    const std::string name = device_in_file_name(device);
    return ("_" + name + "_").find("_H200_") == std::string::npos ? name : "NVIDIA_H200";
  }

  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const override {
    const auto first = [&](auto&& wanted) -> const Sheet* {
      for (const Sheet* sheet : newest_first(sheets))
        if (wanted(*sheet) && fits(*sheet, question.key)) return sheet;
      return nullptr;
    };
    const auto of_this_version = [&](const Sheet& s) {
      return in_version(s) && (question.version.empty() || of_version(s, question.version));
    };
    const Sheet* found = first(of_this_version);
    if (found == nullptr) found = first([](const Sheet& s) { return !in_version(s) && !in_legacy(s); });
    if (found == nullptr) found = first(in_legacy);
    return found == nullptr ? not_found(sheets, question) : nearest_in(*found, question);
  }

 protected:
  std::string_view block_separator() const noexcept override { return ","; }
};

}  // namespace

const Format& vllm() {
  static const Vllm format;
  return format;
}

}  // namespace adaptive::table::formats
