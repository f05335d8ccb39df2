// Versions in the names of folders: "3.5.1", "v2", "triton_3_5_1".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace adaptive::inline v1::table {

struct FolderVersion {
  std::string prefix = {};  ///< the text before the numbers, such as "triton_", without a "v"
  std::vector<std::uint64_t> components = {};

  /// Compares number by number: 3.10 is newer than 3.9, and 3.5 equals 3.5.0. Negative if this version is
  /// older, positive if it is newer.
  int compare(const FolderVersion& other) const noexcept;
};

/// Nothing if the text is not a version.
std::optional<FolderVersion> parse_folder_version(std::string_view text);

}  // namespace adaptive::table
