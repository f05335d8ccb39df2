#include "table/search.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include <adaptive/device.hpp>
#include <adaptive/error.hpp>

#include "files/folder_version.hpp"
#include "table/foreign_reader.hpp"
#include "table/installed.hpp"

namespace adaptive::inline v1 {

namespace fs = std::filesystem;

fs::path user_tables() {
  constexpr const char* ours = "adaptive/tables";
  // The specification of XDG_DATA_HOME says that a relative path is ignored.
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && fs::path(data).is_absolute())
    return fs::path(data) / ours;
  const char* const home = std::getenv("HOME");
  return home == nullptr || *home == '\0' ? fs::path() : fs::path(home) / ".local/share" / ours;
}

TableSearch TableSearch::standard(std::string version, const char* header) {
  TableSearch search;
  search.version = std::move(version);
  if (const char* variable = std::getenv("ADAPTIVE_TABLES"); variable != nullptr) {
    std::string_view rest = variable;
    while (!rest.empty()) {
      const std::size_t colon = std::min(rest.find(':'), rest.size());
      if (colon > 0) search.places.emplace_back(rest.substr(0, colon));
      rest.remove_prefix(std::min(colon + 1, rest.size()));
    }
  }
  if (fs::path own = user_tables(); !own.empty()) search.defaults.push_back(std::move(own));
  // Only the best installation: tables of several installations could contradict each other.
  if (const std::vector<fs::path> installed = table::installed_configs(header); !installed.empty())
    search.defaults.push_back(installed.front());
  return search;
}

namespace table {
namespace {

class Finder {
 public:
  Finder(const TableSearch& search, const std::string& device, std::vector<Notice>& notices)
      : search_(search), device_(normalised_device(device)), notices_(notices) {}

  std::vector<fs::path> find() {
    for (const fs::path& place : search_.places) look_at(place, LogLevel::warning);
    for (const fs::path& place : search_.defaults) look_at(place, LogLevel::info);
    return std::move(files_);
  }

 private:
  void note(const fs::path& where, std::string what, LogLevel level) {
    notices_.push_back({where.string(), std::move(what), level});
  }
  /// `missing`: the level of the notice if the place does not exist.
  void look_at(const fs::path& place, LogLevel missing);
  void add(const fs::path& file);
  void add_folder(const fs::path& folder);
  void look_at_device(const fs::path& folder);
  void look_at_foreign(const fs::path& folder);
  /// Chooses among the folders in `folder` whose names are `prefix` and a version: the requested version,
  /// otherwise the next best one.
  std::optional<fs::path> version_folder(const fs::path& folder, const std::string& prefix);
  std::vector<fs::path> sorted(const fs::path& folder);

  const TableSearch& search_;
  const std::string device_;
  std::vector<Notice>& notices_;
  std::vector<fs::path> files_;
  std::set<fs::path> seen_;
};

void Finder::look_at(const fs::path& place, LogLevel missing) {
  std::error_code error;
  const fs::file_status status = fs::status(place, error);
  if (status.type() == fs::file_type::not_found) {
    note(place,
         missing == LogLevel::warning
             ? "does not exist; correct ADAPTIVE_TABLES or the folders that the program searches"
             : "does not exist",
         missing);
  } else if (!fs::status_known(status)) {
    note(place, "cannot be examined: " + error.message(), LogLevel::warning);
  } else if (fs::is_directory(status)) {
    add_folder(place);
    look_at_device(place / device_);
    look_at_foreign(place);
    if (fs::is_directory(place / "configs", error)) look_at_foreign(place / "configs");
  } else {
    add(place);
  }
}

void Finder::look_at_device(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error)) return note(folder, "does not exist", LogLevel::info);
  const std::optional<FolderVersion> wanted = parse_folder_version(search_.version);
  if (const auto version = version_folder(folder, wanted ? wanted->prefix : "")) add_folder(*version);
  add_folder(folder);
  if (fs::is_directory(folder / "legacy", error)) add_folder(folder / "legacy");
}

// Searches folders in the layout of vLLM and SGLang.
void Finder::look_at_foreign(const fs::path& folder) {
  std::error_code error;
  if (folder.filename() == "configs") add_folder(folder);
  if (const auto version = version_folder(folder, "triton_")) add_folder(*version);
  if (fs::is_directory(folder / "legacy_configs", error)) add_folder(folder / "legacy_configs");
}

void Finder::add(const fs::path& file) {
  // Links or overlapping places may give one file two names. Its measurements must count only once.
  std::error_code error;
  const fs::path canonical = fs::weakly_canonical(file, error);
  if (seen_.insert(error ? file : canonical).second) files_.push_back(file);
}

void Finder::add_folder(const fs::path& folder) {
  for (const fs::path& path : sorted(folder)) {
    std::error_code error;
    // Hidden files belong to editors, or are temporary files of a save.
    const std::string name = path.filename().string();
    const bool named = path.extension() == ".json" || foreign_reader().is_foreign_name(path);
    if (named && !name.starts_with('.') && !fs::is_directory(path, error)) add(path);
  }
}

// Sorted by name, so that the result does not depend on the file system.
std::vector<fs::path> Finder::sorted(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
    paths.push_back(entry->path());
  if (error) note(folder, "cannot be read: " + error.message(), LogLevel::warning);
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::optional<fs::path> Finder::version_folder(const fs::path& folder, const std::string& prefix) {
  std::error_code error;
  const std::optional<FolderVersion> wanted = parse_folder_version(search_.version);
  struct Candidate {
    fs::path path;
    FolderVersion version;
  };
  std::optional<Candidate> best;
  bool best_is_newer = false;
  for (const fs::path& path : sorted(folder)) {
    if (!fs::is_directory(path, error)) continue;
    if (!search_.version.empty() && path.filename() == search_.version) return path;
    std::optional<FolderVersion> version = parse_folder_version(path.filename().string());
    // Versions with different prefixes belong to different software and cannot be compared.
    if (!version || version->prefix != prefix) continue;
    const bool newer = wanted && version->compare(*wanted) > 0;
    if (wanted && version->compare(*wanted) == 0) return path;
    const bool better =
        !best || (best_is_newer && !newer) || (best_is_newer == newer && version->compare(best->version) > 0);
    if (!better) continue;
    best = Candidate{path, *std::move(version)};
    best_is_newer = newer;
  }
  if (!best) return std::nullopt;
  if (search_.version.empty())
    note(best->path, "no version was given; this folder, the newest, is used", LogLevel::info);
  else
    note(best->path,
         "there are no tables of version " + search_.version + "; those of version " +
             best->path.filename().string() + " are used",
         LogLevel::warning);
  return best->path;
}

// Returns nothing if the file belongs to another device.
std::optional<Table> read_any(const fs::path& file, const std::string& device, std::vector<Notice>& notices) {
  const ForeignReader& foreign = foreign_reader();
  if (foreign.is_foreign_name(file)) return foreign.read_seeds(file, device, notices);
  try {
    ReadResult result = read(file);
    notices.insert(notices.end(), result.notices.begin(), result.notices.end());
    return std::move(result.table);
  } catch (const Error&) {
    if (!foreign.recognises(file)) throw;
  }
  return foreign.read_seeds(file, device, notices);
}

}  // namespace

std::vector<fs::path> find_files(const TableSearch& search, const std::string& device,
                                 std::vector<Notice>& notices) {
  return Finder(search, device, notices).find();
}

std::vector<FoundTable> find(const TableSearch& search, const std::string& device,
                             std::vector<Notice>& notices) {
  std::vector<FoundTable> found;
  for (const fs::path& file : find_files(search, device, notices)) {
    try {
      if (std::optional<Table> table = read_any(file, device, notices))
        found.push_back({file, *std::move(table)});
    } catch (const Error& error) {
      std::string what = error.problem();
      if (!error.remedy().empty()) what += "; " + error.remedy();
      notices.push_back({error.where(), what + "; the file is left out", LogLevel::warning});
    }
  }
  return found;
}

std::string describe(const TableSearch& search, const std::string& device) {
  const std::string name = normalised_device(device);
  std::string text;
  std::vector<fs::path> places = search.places;
  places.insert(places.end(), search.defaults.begin(), search.defaults.end());
  for (const fs::path& place : places) {
    if (!text.empty()) text += ", ";
    std::error_code error;
    if (fs::exists(place, error) && !fs::is_directory(place, error)) {
      text += place.string();
      continue;
    }
    text += (place / "*.json").string() + ", ";
    if (!search.version.empty()) text += (place / name / search.version / "*.json").string() + ", ";
    text += (place / name / "*.json").string() + ", " + (place / name / "legacy" / "*.json").string();
  }
  return text.empty() ? "no folders" : text;
}

}  // namespace table
}  // namespace adaptive
