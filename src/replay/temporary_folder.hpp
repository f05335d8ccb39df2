// A folder for the tables of a replay.
#pragma once

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include <adaptive/error.hpp>

#include "files/system_error.hpp"

namespace adaptive::inline v1::replay {

/// A new folder that is removed, with what is in it, in the end. Throws `Error` if it cannot be made.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "adaptive-replay-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw Error(table::error_code_of(errno), "cannot be made", name);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace adaptive::replay
