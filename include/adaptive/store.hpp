#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include <adaptive/detail/export.hpp>

namespace adaptive {

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

  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store();

  /// Every record of a group, of all writers; none where there is no such group.
  virtual Records read(const std::string& group) = 0;
  /// Adds records of a writer, or replaces those of the same name.
  virtual void write(const std::string& group, const std::string& writer, const Records& records) = 0;
  /// For messages: "redis://127.0.0.1:6379".
  virtual std::string name() const = 0;
};

/// A folder, which may be a shared one: "FOLDER/GROUP/WRITER.json", each file written by one process only, so
/// that no locks are needed. The folder is made at the first write.
ADAPTIVE_EXPORT std::shared_ptr<Store> file_store(std::filesystem::path folder);

}  // namespace adaptive
