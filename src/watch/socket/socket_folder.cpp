#include "watch/socket/socket_folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string_view>
#include <tuple>

#include <adaptive/error.hpp>
#include "base/text.hpp"
#include "files/system_error.hpp"

namespace adaptive::inline v1::watch {
namespace {

namespace fs = std::filesystem;
using table::FileDescriptor;
using table::system_error;

constexpr std::string_view socket_ending = ".sock";
constexpr std::string_view new_ending = ".new";
constexpr std::time_t new_seconds_max = 60;  // between the bind and the listen of a living process

fs::path runtime_folder() {
  return fs::path("/run/user") / std::to_string(::geteuid());
}

fs::path temporary_folder() {
  return "/tmp/adaptive-" + std::to_string(::geteuid());
}

fs::path folder_of_environment() {
  const char* const text = std::getenv("XDG_RUNTIME_DIR");
  return text == nullptr || *text != '/' ? fs::path() : fs::path(text) / "adaptive";
}

bool is_older_than(int folder, const std::string& name, std::time_t seconds) {
  struct stat status {};
  return ::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         status.st_mtime < std::time(nullptr) - seconds;
}

// Calls `call` with the address as POSIX passes it. False: `errno` is set.
template <class Call>
bool with_address(const Address& address, const FileDescriptor& socket, Call call) noexcept {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (address.path.size() >= sizeof where.sun_path) {
    errno = ENAMETOOLONG;
    return false;
  }
  std::memcpy(&where.sun_path, address.path.c_str(), address.path.size() + 1);
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): how POSIX passes addresses
  return call(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
}

std::vector<std::string> names_in(const FileDescriptor& folder) {
  std::vector<std::string> names;
  // The stream owns its descriptor and has a position of its own.
  const int again = ::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(again < 0 ? nullptr : ::fdopendir(again), ::closedir);
  if (!stream) {
    if (again >= 0) ::close(again);
    return names;
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the stream belongs to this call
  while (const dirent* entry = ::readdir(stream.get()))
    names.emplace_back(static_cast<const char*>(entry->d_name));
  return names;
}

}  // namespace

fs::path user_socket_folder() {
  if (fs::path folder = folder_of_environment(); !folder.empty()) return folder;
  std::error_code error;
  return fs::is_directory(runtime_folder(), error) ? runtime_folder() / "adaptive" : temporary_folder();
}

std::vector<fs::path> user_socket_folders() {
  std::vector<fs::path> folders;
  for (fs::path folder : {folder_of_environment(), runtime_folder() / "adaptive", temporary_folder()})
    if (!folder.empty() && std::find(folders.begin(), folders.end(), folder) == folders.end())
      folders.push_back(std::move(folder));
  return folders;
}

FileDescriptor open_socket_folder(const fs::path& folder) {
  // No link, which its owner could turn elsewhere, in a folder such as /tmp where everybody may make one.
  FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened) throw system_error("cannot be opened", folder, errno);
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0) throw system_error("cannot be examined", folder, errno);
  if (status.st_uid != ::geteuid())
    throw Error(ErrorCode::denied, "belongs to another user", folder.string(), "name another folder");
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    throw Error(ErrorCode::denied, "can be written by other users", folder.string(),
                "chmod go-w, or name another folder");
  return opened;
}

FileDescriptor make_socket_folder(const fs::path& folder) {
  constexpr mode_t own = 0700;
  if (::mkdir(folder.c_str(), own) != 0 && errno != EEXIST) {
    std::error_code error;
    fs::create_directories(folder.parent_path(), error);
    if (::mkdir(folder.c_str(), own) != 0 && errno != EEXIST)
      throw system_error("cannot be made", folder, errno);
  }
  return open_socket_folder(folder);
}

std::string to_text(const SocketName& name) {
  return std::to_string(name.process) + "." + std::to_string(name.selector) + std::string(socket_ending);
}

std::optional<SocketName> parse_socket_name(const std::string& text) {
  if (!text.ends_with(socket_ending)) return std::nullopt;
  const std::vector<std::string> parts =
      core::split(std::string_view(text).substr(0, text.size() - socket_ending.size()), '.');
  if (parts.size() != 2) return std::nullopt;
  const auto process = core::parse_number<int>(parts[0]);
  const auto selector = core::parse_number<int>(parts[1]);
  if (!process || !selector || *process <= 0 || *selector <= 0) return std::nullopt;
  const SocketName name{*process, *selector};
  return to_text(name) == text ? std::optional(name) : std::nullopt;
}

std::string name_before_listening(const SocketName& name) {
  return std::to_string(name.process) + "." + std::to_string(name.selector) + std::string(new_ending);
}

Address::Address(const FileDescriptor& folder, const std::string& name)
    : path("/proc/self/fd/" + std::to_string(folder.get()) + "/" + name) {}

FileDescriptor connect_to(const Address& address) noexcept {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket || with_address(address, socket, ::connect)) return socket;
  const int error = errno;
  socket = FileDescriptor(-1);
  errno = error;
  return socket;
}

bool bind_to(const Address& address, const FileDescriptor& socket) noexcept {
  return with_address(address, socket, ::bind);
}

bool is_dead(const FileDescriptor& folder, const std::string& name) noexcept {
  return !connect_to({folder, name}) && errno == ECONNREFUSED;
}

std::vector<SocketName> living_sockets(const FileDescriptor& folder) {
  std::vector<SocketName> living;
  for (const std::string& name : names_in(folder)) {
    const std::optional<SocketName> socket = parse_socket_name(name);
    const bool is_new = name.ends_with(new_ending);
    if (!socket && !(is_new && is_older_than(folder.get(), name, new_seconds_max))) continue;
    if (is_dead(folder, name))
      ::unlinkat(folder.get(), name.c_str(), 0);
    else if (socket)
      living.push_back(*socket);
  }
  std::sort(living.begin(), living.end(), [](const SocketName& a, const SocketName& b) {
    return std::tie(a.process, a.selector) < std::tie(b.process, b.selector);
  });
  return living;
}

}  // namespace adaptive::watch
