#include "watch/socket/client.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <tuple>

#include <adaptive/error.hpp>
#include "files/system_error.hpp"
#include "watch/socket/server.hpp"

namespace adaptive::inline v1::watch {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::vector<FoundSocket> find_sockets(const std::vector<fs::path>& folders) {
  std::vector<FoundSocket> found;
  for (const fs::path& folder : folders) {
    std::error_code error;
    if (!fs::exists(folder, error)) continue;
    for (const SocketName& name : living_sockets(open_socket_folder(folder))) found.push_back({folder, name});
  }
  std::sort(found.begin(), found.end(), [](const FoundSocket& a, const FoundSocket& b) {
    return std::tie(a.name.process, a.name.selector, a.folder) <
           std::tie(b.name.process, b.name.selector, b.folder);
  });
  return found;
}

Client::Client(const FoundSocket& socket)
    : where_((socket.folder / to_text(socket.name)).string()),
      socket_(connect_to({open_socket_folder(socket.folder), to_text(socket.name)})) {
  if (!socket_) throw table::system_error("cannot be connected to", where_, errno);
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket_.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 ||
      credentials.uid != ::geteuid())
    throw Error(ErrorCode::denied, "is the socket of another user", where_);
}

void Client::fail(const std::string& what) const {
  throw Error(ErrorCode::io, what, where_, "the process may be stopped or busy; ask again");
}

void Client::wait_for(short events, std::chrono::milliseconds most) const {
  pollfd wait{socket_.get(), events, 0};
  int ready = 0;
  do ready = ::poll(&wait, 1, static_cast<int>(most.count()));
  while (ready < 0 && errno == EINTR);
  if (ready <= 0) fail("does not answer");
}

std::string Client::ask(std::string_view request, std::chrono::milliseconds most) {
  const std::string line = std::string(request) + "\n";
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t size = ::send(socket_.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (size >= 0) {
      sent += static_cast<std::size_t>(size);
    } else if (errno == EAGAIN) {
      wait_for(POLLOUT, most);
    } else if (errno != EINTR) {
      fail("has closed the connection");
    }
  }
  std::string answer;
  std::array<char, 65536> part;  // NOLINT(cppcoreguidelines-pro-type-member-init): it is read into
  while (answer.empty() || answer.back() != '\n') {
    const ssize_t size = ::recv(socket_.get(), part.data(), part.size(), 0);
    if (size > 0) {
      answer.append(part.data(), static_cast<std::size_t>(size));
    } else if (size < 0 && errno == EAGAIN) {
      wait_for(POLLIN, most);
    } else if (size == 0 || errno != EINTR) {
      fail("has closed the connection");
    }
    if (answer.size() > Server::answer_bytes_max + 1) fail("answers too much");
  }
  answer.pop_back();
  return answer;
}

}  // namespace adaptive::watch
