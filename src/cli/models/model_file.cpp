#include "cli/models/model_file.hpp"

#include <cstdlib>
#include <optional>
#include <set>
#include <system_error>

#include <adaptive/error.hpp>

#include "base/text.hpp"
#include "cli/json_fields.hpp"
#include "cli/models/hub_cache.hpp"
#include "cli/models/model_config.hpp"
#include "table/installed.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;

// The file that a user means by `name`; nothing if there is none.
std::optional<fs::path> file_of(const std::string& name) {
  fs::path path = name;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) path /= "config.json";
  if (fs::is_regular_file(path, ignored)) return path;
  if (is_hub_id(name)) return config_in_hub_cache(name);
  for (const fs::path& folder : model_folders())
    if (fs::path preset = folder / (name + ".json"); fs::is_regular_file(preset, ignored)) return preset;
  return name.find('/') == std::string::npos ? config_in_hub_cache(name) : std::nullopt;
}

// Throws `Error` if the name, of which no file was found, is clearly that of a file or a folder.
void refuse_path(const std::string& name) {
  std::error_code ignored;
  if (fs::is_directory(name, ignored))
    throw Error(ErrorCode::not_found, "is a folder without a config.json", name);
  if (name.ends_with(".json")) throw Error(ErrorCode::not_found, "there is no such file", name);
}

}  // namespace

std::vector<fs::path> own_model_folders() {
  std::vector<fs::path> folders;
  if (const char* own = std::getenv("ADAPTIVE_MODELS"))
    for (const std::string& folder : core::split(own, ':'))
      if (!folder.empty()) folders.emplace_back(folder);
  return folders;
}

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders = own_model_folders();
  const fs::path beside = table::configs_beside_code();
  if (!beside.empty()) folders.push_back(beside / "models");
  folders.emplace_back(ADAPTIVE_CLI_CONFIGS "/models");
  for (const fs::path& installed : table::installed_configs(nullptr))
    if (installed != beside) folders.push_back(installed / "models");
  return folders;
}

std::vector<std::string> preset_names() {
  std::set<std::string> names;
  for (const fs::path& folder : model_folders()) {
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored))
      if (entry.path().extension() == ".json") names.insert(entry.path().stem().string());
  }
  return {names.begin(), names.end()};
}

tuning::Model find_model(const std::string& name) {
  const std::optional<fs::path> path = file_of(name);
  if (!path) refuse_path(name);
  if (!path && is_hub_id(name))
    throw Error(ErrorCode::not_found, "is not in the cache of Hugging Face, " + hub_cache().string(), name,
                "fetch it with `hf download " + name + " config.json`, or give a config.json");
  if (!path)
    throw Error(ErrorCode::not_found, "there is no such model", name,
                "known: " + core::joined(preset_names()) + "; or give a config.json");
  tuning::Model model = parse_model(read_file(*path), path->string());
  model.name = path->stem() == "config" ? name : path->stem().string();
  return model;
}

}  // namespace adaptive::cli
