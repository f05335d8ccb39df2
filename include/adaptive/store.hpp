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

/// Where processes, on one host or many, leave for each other what they have measured. A `Saver` publishes
/// its selector's results there and learns of the others'; both never on the launch path.
///
/// A store keeps texts by name, in groups. Names and texts are the saver's business. Records of a writer are
/// written by that writer only. A store need not be durable: every process publishes again what is gone.
///
/// Used by one thread at a time. `read` and `write` may block for as long as their time limit, and throw
/// `Error` where the store cannot be reached or answers with an error; the next call tries again from the
/// beginning.
class ADAPTIVE_EXPORT Store {
 public:
  using Records = std::map<std::string, std::string>;

  /// Something in a store that cannot be used.
  struct Problem {
    std::string where = {};  ///< "/shared/adaptive/GROUP/x.json"
    std::string what = {};

    friend bool operator==(const Problem&, const Problem&) = default;
  };

  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store();

  /// Every record of a group, of all writers; none where there is no such group. The result is valid until
  /// the next call of a member. A store may keep what it has read, and fetch only what has changed since.
  virtual const Records& read(const std::string& group) = 0;
  /// Adds records of a writer, or replaces those of the same name. A saver calls this at every exchange, with
  /// no records where nothing has changed, which tells a store that the writer is still alive.
  virtual void write(const std::string& group, const std::string& writer, const Records& records) = 0;
  /// What the last `read` left out. A saver reports each place once.
  virtual std::vector<Problem> problems() const;
  /// For messages: "redis://127.0.0.1:6379".
  virtual std::string name() const = 0;
};

/// What a store keeps of writers that have ended. A process whose records were removed although it still
/// runs publishes them again at its next exchange.
struct Retention {
  /// The records of a writer are removed this long after its last exchange. Zero: never.
  std::chrono::seconds unused = std::chrono::hours(24 * 30);
  /// Beyond this number of writers in a group, those whose last exchange is longest ago are removed. Choose
  /// more than processes run at once.
  std::size_t writers = 1024;

  /// Throws `Error` where no writer is allowed, or the time is negative.
  ADAPTIVE_EXPORT void check() const;
};

/// A folder, which may be a shared one: "FOLDER/GROUP/WRITER.json", each file written by one process only, so
/// that no locks are needed. In names of groups and writers every byte but a to z, 0 to 9, '_', '-' and '.'
/// becomes "%" and two hexadecimal digits, also where a file system takes upper and lower case for the same.
/// The folder is made at the first write. A file that cannot be read is left out (`Store::problems`).
///
/// A process reads a file again only where the file has changed. A process that writes removes the files
/// that `retention` no longer allows. Throws `Error` where `retention` allows no writer, or its time is
/// negative.
[[nodiscard]] ADAPTIVE_EXPORT std::shared_ptr<Store> file_store(std::filesystem::path folder,
                                                                Retention retention = {});

}  // namespace adaptive
