#include "table/installed.hpp"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <string_view>
#include <system_error>

namespace adaptive::inline v1::table {
namespace {

namespace fs = std::filesystem;

void some_code() {}

// Path of the shared library or program that contains this code; empty if unknown.
fs::path object_of_this_code() {
  Dl_info info{};
  void* extra = nullptr;
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): how POSIX passes the address of a function
  if (::dladdr1(reinterpret_cast<void*>(&some_code), &info, &extra, RTLD_DL_LINKMAP) == 0) return {};
  const auto* const map = static_cast<const link_map*>(extra);
  std::error_code error;
  // For the program itself the loader knows only the name by which it was started, not the path.
  const bool is_program = map == nullptr || map->l_name == nullptr || *map->l_name == '\0';
  return fs::canonical(is_program ? "/proc/self/exe" : map->l_name, error);
}

// The folder at `way`, relative to `from`. Empty if `way` is empty (nothing is installed) or is not a folder.
fs::path follow(const fs::path& from, std::string_view way) {
  if (from.empty() || way.empty()) return {};
  std::error_code error;
  const fs::path folder = fs::canonical(from / way, error);
  return !error && fs::is_directory(folder, error) ? folder : fs::path();
}

}  // namespace

fs::path configs_beside_code() {
  const fs::path folder = object_of_this_code().parent_path();
  fs::path configs = follow(folder, ADAPTIVE_DATA_FROM_LIBRARY);
  return configs.empty() ? follow(folder, ADAPTIVE_DATA_FROM_PROGRAM) : configs;
}

std::vector<fs::path> installed_configs(const char* header) {
  const fs::path file = header == nullptr ? "" : header;
  std::vector<fs::path> folders;
  // A relative path of a header is relative to the folder in which the compiler ran.
  for (const fs::path& folder :
       {configs_beside_code(),
        file.is_absolute() ? follow(file.parent_path(), ADAPTIVE_DATA_FROM_HEADERS) : fs::path(),
        fs::path(ADAPTIVE_DATA_DIR)})
    if (!folder.empty() && std::find(folders.begin(), folders.end(), folder) == folders.end())
      folders.push_back(folder);
  return folders;
}

}  // namespace adaptive::table
