// A store of files. Each writer has its own file, to which no other process writes.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <system_error>
#include <tuple>
#include <utility>

#include <adaptive/error.hpp>
#include <adaptive/store.hpp>

#include "files/atomic_file.hpp"
#include "files/file_text.hpp"
#include "files/system_error.hpp"
#include "store/store_name.hpp"

namespace adaptive::inline v1 {

Store::~Store() = default;

std::vector<Store::Problem> Store::problems() const {
  return {};
}

void Retention::check() const {
  if (unused < unused.zero()) throw Error(ErrorCode::invalid_argument, "unused is negative", "Retention");
  if (writers == 0) throw Error(ErrorCode::invalid_argument, "writers must be at least 1", "Retention");
}

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* ending = ".json";

/// Distinguishes a file from one that has replaced it: every write makes a new file and renames it.
struct FileVersion {
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::chrono::nanoseconds changed{};  ///< since 1970, by the clock of the file system

  friend bool operator==(const FileVersion&, const FileVersion&) = default;
};

std::optional<FileVersion> file_version(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileVersion{
      static_cast<std::uint64_t>(status.st_ino), static_cast<std::int64_t>(status.st_size),
      std::chrono::seconds(status.st_mtim.tv_sec) + std::chrono::nanoseconds(status.st_mtim.tv_nsec)};
}

class FileStore final : public Store {
 public:
  FileStore(fs::path folder, const Retention& retention) : folder_(std::move(folder)), retention_(retention) {
    retention_.check();
  }

  const Records& read(const std::string& group) override {
    const std::vector<std::string> names = files_of(group);
    Group& known = groups_[group];
    std::map<std::string, File> before = std::exchange(known.files, {});
    for (const std::string& name : names) {
      const fs::path path = folder_of(group) / name;
      const std::optional<FileVersion> version = file_version(path);
      if (!version) continue;  // the file was removed after it was found
      const auto old = before.find(name);
      if (old != before.end() && old->second.version == *version) {
        known.files.insert(before.extract(old));
        continue;
      }
      if (old != before.end()) forget(known, before.extract(old).mapped());
      known.files.emplace(name, load(known, path, *version));
    }
    for (const auto& [name, file] : before) forget(known, file);
    problems_.clear();
    for (const auto& [name, file] : known.files)
      problems_.insert(problems_.end(), file.problems.begin(), file.problems.end());
    return known.records;
  }

  void write(const std::string& group, const std::string& writer, const Records& records) override {
    const fs::path path = folder_of(group) / (table::store_name(writer) + ending);
    const auto [at, is_new] = written_.try_emplace({group, writer});
    Written& mine = at->second;
    if (is_new) mine.records = earlier_records(path);
    if (records.empty()) {
      renew(mine, path);
      return;
    }
    for (const auto& [name, text] : records) mine.records.insert_or_assign(name, text);
    std::error_code error;
    fs::create_directories(folder_of(group), error);
    if (error)
      throw Error(table::error_code_of(error.value()), "cannot be created: " + error.message(),
                  folder_of(group).string());
    // A name that is not UTF-8 must not prevent the other records from being written.
    table::write_atomically(path,
                            Json(mine.records).dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
    mine.renewed = Clock::now();
    clean_up(group, path);
  }

  std::vector<Problem> problems() const override { return problems_; }
  std::string name() const override { return folder_.string(); }

 private:
  using Clock = std::chrono::steady_clock;

  struct File {
    FileVersion version = {};
    std::vector<std::string> names = {};  ///< names of the records that the file contains
    std::vector<Problem> problems = {};
  };
  struct Group {
    std::map<std::string, File> files = {};  ///< by name
    Records records = {};                    ///< records of all files
  };
  struct Written {
    Records records = {};  ///< the whole file
    Clock::time_point renewed = {};
  };

  fs::path folder_of(const std::string& group) const { return folder_ / table::store_name(group); }

  std::vector<std::string> files_of(const std::string& group) const {
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator file(folder_of(group), error), end; !error && file != end;
         file.increment(error)) {
      std::string name = file->path().filename().string();
      if (!name.starts_with('.') && name.ends_with(ending)) names.push_back(std::move(name));
    }
    if (error && error != std::errc::no_such_file_or_directory)
      throw Error(table::error_code_of(error.value()), "cannot be read: " + error.message(),
                  folder_of(group).string());
    std::sort(names.begin(), names.end());
    return names;
  }

  static void forget(Group& group, const File& file) {
    for (const std::string& name : file.names) group.records.erase(name);
  }

  /// A file that cannot be used is a problem of that file only.
  static File load(Group& group, const fs::path& path, const FileVersion& version) {
    File file{.version = version};
    try {
      const Json json = Json::parse(table::read_text(path), nullptr, false);
      if (!json.is_object()) throw Error(ErrorCode::corrupt, "is not a file of a store", path.string());
      std::size_t others = 0;
      for (const auto& [name, text] : json.items()) {
        if (!text.is_string()) {
          ++others;
          continue;
        }
        group.records.insert_or_assign(name, text.get<std::string>());
        file.names.push_back(name);
      }
      if (others > 0)
        file.problems.push_back({path.string(), std::to_string(others) + " records are not texts"});
    } catch (const Error& error) {
      // If the file does not exist any more, another process has removed it since it was found; this is not a
      // problem.
      if (file_version(path)) file.problems.push_back({path.string(), error.problem()});
    }
    return file;
  }

  /// Records left by an earlier process with the same writer name, since a program may choose names itself.
  static Records earlier_records(const fs::path& path) {
    Group group;
    if (file_version(path)) load(group, path, {});
    return std::move(group.records);
  }

  /// Touches a file that is not rewritten, but only now and then, because other processes read a touched file
  /// again.
  void renew(Written& mine, const fs::path& path) const {
    constexpr int renewals = 8;
    if (mine.records.empty() || retention_.unused == retention_.unused.zero()) return;
    const Clock::time_point now = Clock::now();
    if (now - mine.renewed < retention_.unused / renewals) return;
    // If this fails, the file was removed. The next read reports that, and the records are written again.
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
    mine.renewed = now;
  }

  /// Removes files that `retention_` no longer allows. `own` has just been written, so its time is the
  /// current time on the clock that the other files' times come from.
  void clean_up(const std::string& group, const fs::path& own) const {
    const std::optional<FileVersion> present = file_version(own);
    if (!present) return;
    std::vector<std::pair<std::chrono::nanoseconds, fs::path>> kept;
    std::error_code error, ignored;
    for (fs::directory_iterator file(folder_of(group), error), end; !error && file != end;
         file.increment(error)) {
      const std::string name = file->path().filename().string();
      const bool is_writers = !name.starts_with('.') && name.ends_with(ending);
      const bool is_left_over = name.starts_with('.') && name.ends_with(".tmp");
      const std::optional<FileVersion> version = file_version(file->path());
      if (!version || file->path() == own || !(is_writers || is_left_over)) continue;
      if (retention_.unused > retention_.unused.zero() &&
          present->changed - version->changed > retention_.unused)
        fs::remove(file->path(), ignored);
      else if (is_writers)
        kept.emplace_back(version->changed, file->path());
    }
    if (kept.size() < retention_.writers) return;
    std::sort(kept.begin(), kept.end());
    kept.resize(kept.size() + 1 - retention_.writers);  // together with `own` this is the permitted number
    for (const auto& [changed, path] : kept) fs::remove(path, ignored);
  }

  fs::path folder_;
  Retention retention_;
  std::map<std::string, Group> groups_;
  std::vector<Problem> problems_;                                   // of the last read
  std::map<std::pair<std::string, std::string>, Written> written_;  // by group and writer
};

}  // namespace

std::shared_ptr<Store> file_store(fs::path folder, Retention retention) {
  return std::make_shared<FileStore>(std::move(folder), retention);
}

}  // namespace adaptive
