#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// A place where processes, on one host or many, share what they have measured. A `Saver` publishes its
/// selector's results there and reads those of other processes, never on the launch path.
///
/// A store keeps texts by name, in groups. The saver decides on names and texts. Only the writer itself
/// writes its records. A store need not be durable: every process publishes lost records again.
///
/// Not thread-safe: one thread uses it at a time. `read` and `write` may block up to their time limit. They
/// throw `Error` if the store cannot be reached or answers with an error; the next call tries again from the
/// beginning.
class ADAPTIVE_EXPORT Store {
 public:
  using Records = std::map<std::string, std::string>;

  /// A part of a store that cannot be used.
  struct Problem {
    std::string where = {};  ///< "/shared/adaptive/GROUP/x.json"
    std::string what = {};   ///< what is wrong with it

    friend bool operator==(const Problem&, const Problem&) = default;
  };

  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store();

  /// Every record of a group, of all writers; none if there is no such group. The result is valid until the
  /// next call of a member. A store may keep what it has read and fetch only what has changed since.
  virtual const Records& read(const std::string& group) = 0;
  /// Adds records of a writer, or replaces those of the same name. A saver calls this at every exchange, even
  /// without records: the call tells the store that the writer is still alive.
  virtual void write(const std::string& group, const std::string& writer, const Records& records) = 0;
  /// What the last `read` left out. A saver logs each place once.
  virtual std::vector<Problem> problems() const;
  /// The name of the store in messages, such as "redis://127.0.0.1:6379".
  virtual std::string name() const = 0;
};

/// What a store keeps of writers that have ended. A process whose records were removed although it still
/// runs publishes them again at its next exchange.
struct Retention {
  /// Time after a writer's last exchange at which its records are removed. Zero: never.
  std::chrono::seconds unused = std::chrono::hours(24 * 30);
  /// Maximum number of writers in a group, at least 1. Those whose last exchange is longest ago are removed
  /// first. Choose more than the number of processes that run at once.
  std::size_t writers = 1024;

  /// Throws `Error` if no writer is allowed or the time is negative.
  ADAPTIVE_EXPORT void check() const;
};

/// Makes a store in a folder, which may be on a file system that hosts share. The files are
/// "FOLDER/GROUP/WRITER.json"; only one process writes each file, so that no locks are needed. In the names
/// of groups and writers every byte other than a to z, 0 to 9, '_', '-' and '.' becomes "%" and two
/// hexadecimal digits, so that names stay distinct on file systems that ignore case. The folder is made at
/// the first write. A file that cannot be read is left out (`Store::problems`).
///
/// A process reads a file again only if the file has changed. A process that writes removes the files that
/// `retention` no longer allows. Throws `Error` if `retention` allows no writer or its time is negative.
[[nodiscard]] ADAPTIVE_EXPORT std::shared_ptr<Store> file_store(std::filesystem::path folder,
                                                                Retention retention = {});

}  // namespace adaptive
