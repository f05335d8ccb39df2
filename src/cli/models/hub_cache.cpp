#include "cli/models/hub_cache.hpp"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <adaptive/error.hpp>

#include "files/file_text.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;

bool is_part_of_id(std::string_view text) {
  return !text.empty() && text.front() != '.' && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

std::string_view without_revision(std::string_view id) {
  return id.substr(0, id.find('@'));
}

// The commit in refs/REVISION, which may also be a commit itself.
fs::path snapshot_of(const fs::path& model, const std::string& revision) {
  std::error_code ignored;
  std::string commit = revision;
  if (const fs::path ref = model / "refs" / revision; fs::is_regular_file(ref, ignored)) {
    commit = table::read_text(ref);
    commit.erase(std::find_if(commit.begin(), commit.end(), [](char c) { return c <= ' '; }), commit.end());
  }
  return commit.empty() ? fs::path() : model / "snapshots" / commit;
}

fs::path latest_snapshot(const fs::path& model) {
  fs::path latest;
  fs::file_time_type time;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(model / "snapshots", ignored)) {
    const fs::file_time_type changed = entry.last_write_time(ignored);
    if (!latest.empty() && changed <= time) continue;
    latest = entry.path();
    time = changed;
  }
  return latest;
}

}  // namespace

bool is_hub_id(std::string_view text) {
  const std::string_view id = without_revision(text);
  if (id.size() < text.size() && !is_part_of_id(text.substr(id.size() + 1))) return false;
  const std::size_t slash = id.find('/');
  return slash != std::string_view::npos && is_part_of_id(id.substr(0, slash)) &&
         is_part_of_id(id.substr(slash + 1)) && !id.ends_with(".json");
}

fs::path hub_cache() {
  for (const char* name : {"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"})
    if (const char* folder = std::getenv(name); folder != nullptr && *folder != '\0') return folder;
  for (const auto& [name, below] : {std::pair{"HF_HOME", "hub"},
                                    {"XDG_CACHE_HOME", "huggingface/hub"},
                                    {"HOME", ".cache/huggingface/hub"}})
    if (const char* folder = std::getenv(name); folder != nullptr && *folder != '\0')
      return fs::path(folder) / below;
  return {};
}

std::optional<fs::path> config_in_hub_cache(const std::string& id) {
  std::string name(without_revision(id));
  const std::string revision = id.substr(std::min(name.size() + 1, id.size()));
  if (const std::size_t slash = name.find('/'); slash != std::string::npos) name.replace(slash, 1, "--");
  const fs::path model = hub_cache() / ("models--" + name);
  fs::path snapshot = snapshot_of(model, revision.empty() ? "main" : revision);
  std::error_code ignored;
  if (revision.empty() && !fs::is_regular_file(snapshot / "config.json", ignored))
    snapshot = latest_snapshot(model);
  if (snapshot.empty() || !fs::is_regular_file(snapshot / "config.json", ignored)) return std::nullopt;
  return snapshot / "config.json";
}

}  // namespace adaptive::cli
