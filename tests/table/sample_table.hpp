// Shared by the tests of tables.
#pragma once

#include <filesystem>
#include <string>

#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// Two operations, every kind of dimension and of parameter, records with and without measurements.
Table sample_table();

/// One operation with `entries` entries of two variants; its numbers depend on `seed`.
Table large_table(std::size_t entries, std::uint64_t seed = 1);

std::string file_text(const std::filesystem::path& path);
void write_text(const std::filesystem::path& path, std::string_view text);

/// A temporary folder for one test. It is removed with its content.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }
  /// The number of files and folders in the folder.
  std::size_t count() const;

 private:
  std::filesystem::path path_;
};

}  // namespace adaptive::table
