// The asking side of a socket.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "files/file_descriptor.hpp"
#include "watch/socket/socket_folder.hpp"

namespace adaptive::inline v1::watch {

/// A socket that was found, and in which folder.
struct FoundSocket {
  std::filesystem::path folder = {};
  SocketName name = {};
};

/// The sockets of this user in the folders, by process and selector. Folders that do not exist have none.
/// Removes those of dead processes. Throws `Error` for a folder that others may write in.
std::vector<FoundSocket> find_sockets(const std::vector<std::filesystem::path>& folders);

/// A connection to a selector of another process. Not thread-safe.
class Client {
 public:
  /// Throws `Error` if nobody answers, or another user does.
  explicit Client(const FoundSocket& socket);

  /// Sends a line and returns the line that answers it, both without the newline. Waits at most `most` for
  /// the process to go on sending. Throws `Error` if it does not answer, or answers too much.
  std::string ask(std::string_view request, std::chrono::milliseconds most = std::chrono::seconds(2));

 private:
  [[noreturn]] void fail(const std::string& what) const;
  void wait_for(short events, std::chrono::milliseconds most) const;

  std::string where_;
  table::FileDescriptor socket_;
};

}  // namespace adaptive::watch
