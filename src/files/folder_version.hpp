// Versions as folders are named by them: "3.5.1", "v2", "triton_3_5_1".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace adaptive::table {

struct FolderVersion {
  std::string prefix = {};  ///< what stands before the numbers: "triton_"; a "v" does not count
  std::vector<std::uint64_t> components = {};

  /// By number, component by component: 3.10 is newer than 3.9, and 3.5 is 3.5.0.
  /// Negative where this one is older.
  int compare(const FolderVersion& other) const noexcept;
};

/// Nothing where the text is no version.
std::optional<FolderVersion> parse_folder_version(std::string_view text);

}  // namespace adaptive::table
