#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace adaptive::bench {

/// The folder of one run of a benchmark: the one that the user names, which stays, or a new one, which is
/// removed with the object.
class RunFolder {
 public:
  /// Creates the folder `named` if it does not exist; if the name is empty, a new folder whose name begins
  /// with "adaptive-" and `program`. Throws std::runtime_error or std::filesystem::filesystem_error.
  explicit RunFolder(const std::string& program, std::filesystem::path named = {})
      : path_(std::move(named)), is_kept_(!path_.empty()) {
    if (is_kept_) {
      std::filesystem::create_directories(path_);
      return;
    }
    std::string name =
        (std::filesystem::temp_directory_path() / ("adaptive-" + program + ".XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error(name + " cannot be made");
    path_ = name;
  }
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  ~RunFolder() {
    std::error_code ignored;
    if (!is_kept_) std::filesystem::remove_all(path_, ignored);
  }

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
  bool is_kept_;
};

}  // namespace adaptive::bench
