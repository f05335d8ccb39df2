#include "files/system_error.hpp"

#include <cerrno>
#include <system_error>

namespace adaptive::inline v1::table {
namespace {

const char* remedy_of(int error) noexcept {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return "check the path";
    case EACCES:
    case EPERM:
      return "check who owns the file and its folder, or choose others";
    case EROFS:
      return "choose a folder that can be written";
    case ENOSPC:
    case EDQUOT:
      return "free some space, or choose another folder";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    default:
      return "";
  }
}

}  // namespace

ErrorCode error_code_of(int error) noexcept {
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return ErrorCode::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::denied;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::full;
    default:
      return ErrorCode::io;
  }
}

Error system_error(const std::string& what, const std::filesystem::path& path, int error) {
  return Error(error_code_of(error), what + ": " + std::generic_category().message(error), path.string(),
               remedy_of(error));
}

}  // namespace adaptive::table
