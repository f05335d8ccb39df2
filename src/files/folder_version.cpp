#include "files/folder_version.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

namespace adaptive::inline v1::table {

int FolderVersion::compare(const FolderVersion& other) const noexcept {
  const std::size_t size = std::max(components.size(), other.components.size());
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t a = i < components.size() ? components[i] : 0;
    const std::uint64_t b = i < other.components.size() ? other.components[i] : 0;
    if (a != b) return a < b ? -1 : 1;
  }
  return 0;
}

std::optional<FolderVersion> parse_folder_version(std::string_view text) {
  FolderVersion version;
  const std::size_t digits = text.find_first_of("0123456789");
  if (digits == std::string_view::npos) return std::nullopt;
  version.prefix = text.substr(0, digits);
  if (version.prefix == "v") version.prefix.clear();
  const char* next = text.data() + digits;
  const char* const end = text.data() + text.size();
  while (true) {
    std::uint64_t component = 0;
    const auto [stop, error] = std::from_chars(next, end, component);
    if (error != std::errc{}) return std::nullopt;
    version.components.push_back(component);
    if (stop == end) return version;
    if (*stop != '.' && *stop != '_' && *stop != '-') return std::nullopt;
    next = stop + 1;
  }
}

}  // namespace adaptive::table
