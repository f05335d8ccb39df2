#include "watch/socket/server.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <new>
#include <utility>

#include <adaptive/error.hpp>
#include "base/background_thread.hpp"
#include "files/system_error.hpp"

namespace adaptive::inline v1::watch {
namespace {

using table::FileDescriptor;
using table::system_error;

constexpr int names_max = 1000;  // selectors of one process that listen
constexpr int backlog = 64;
constexpr int accept_again_ms = 1000;  // where descriptors or memory were short

constexpr const char* too_long =
    R"({"version":1,"error":{"code":"invalid","what":"the request is longer than 4,096 bytes"}})";
constexpr const char* too_large =
    R"({"version":1,"error":{"code":"too_large","what":"the answer is larger than 4 MiB; ask for less"}})";

FileDescriptor new_listener(const std::filesystem::path& folder) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // The mode of a socket before it is bound is that of its file. The umask belongs to the program.
  if (!socket || ::fchmod(socket.get(), S_IRUSR | S_IWUSR) != 0)
    throw system_error("cannot have a socket", folder, errno);
  return socket;
}

bool is_of_resources(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

bool ForkGuard::run(const std::function<bool()>& attempt) {
  constexpr int attempts = 5000;
  for (int i = 0; i < attempts && !is_stopped_.load(); ++i) {
    {
      const std::lock_guard section(section_);
      if (attempt()) return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

bool is_own_user(const Peer& peer) noexcept {
  return peer.user == ::geteuid();
}

Server::Server(std::filesystem::path folder, core::Worker& worker, Respond respond, Admits admits)
    : ForkSection(guard_.section_, Order::outer),
      folder_path_(std::move(folder)),
      worker_(worker),
      respond_(std::move(respond)),
      admits_(admits) {
  hold_at_forks();
}

Server::~Server() {
  close();
  ignore_forks();
}

void Server::open() {
  const std::lock_guard section(guard_.section_);
  if (is_closed_ || listener_) return;
  folder_ = make_socket_folder(folder_path_);
  stop_ = FileDescriptor(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_) throw system_error("cannot have a socket", folder_path_, errno);
  listen();
  try {
    thread_ = core::background_thread([this] { loop(); });
  } catch (const std::exception& error) {
    remove_file();
    listener_ = FileDescriptor(-1);
    throw Error(ErrorCode::full, std::string("cannot have a thread: ") + error.what(), folder_path_.string());
  }
}

// Binds, listens, and only then takes a name by which others find the socket.
void Server::listen() {
  FileDescriptor socket = new_listener(folder_path_);
  std::string name;
  bool is_bound = false;
  for (int i = 1; i <= names_max && !is_bound; ++i) {
    name = name_before_listening({::getpid(), i});
    is_bound = bind_to({folder_, name}, socket);
    if (!is_bound && errno != EADDRINUSE) break;
  }
  if (!is_bound) throw system_error("cannot have a socket", folder_path_, errno);
  try {
    struct stat status {};
    if (::listen(socket.get(), backlog) != 0 ||
        ::fstatat(folder_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      throw system_error("cannot have a socket", folder_path_, errno);
    file_ = status.st_ino;
    publish(name);
  } catch (...) {
    ::unlinkat(folder_.get(), name.c_str(), 0);
    throw;
  }
  listener_ = std::move(socket);
}

void Server::publish(const std::string& from) {
  for (int i = 1; i <= names_max;) {
    const SocketName wanted{::getpid(), i};
    const std::string as = to_text(wanted);
    if (::renameat2(folder_.get(), from.c_str(), folder_.get(), as.c_str(), RENAME_NOREPLACE) == 0) {
      name_ = wanted;
      return;
    }
    if (errno != EEXIST) throw system_error("cannot have a socket", folder_path_, errno);
    // Another selector is there, or a killed process had the same number.
    if (!is_dead(folder_, as) || ::unlinkat(folder_.get(), as.c_str(), 0) != 0) ++i;
  }
  throw Error(ErrorCode::full, "has too many sockets of this process", folder_path_.string());
}

void Server::close() noexcept {
  {
    const std::lock_guard section(guard_.section_);
    is_closed_ = true;
    if (!listener_) return;
    guard_.is_stopped_.store(true);
    remove_file();
    constexpr std::uint64_t one = 1;
    static_cast<void>(::write(stop_.get(), &one, sizeof one));
  }
  thread_.join();
  const std::lock_guard section(guard_.section_);
  listener_ = FileDescriptor(-1);
  for (Client& client : clients_) client.socket = FileDescriptor(-1);
}

// In a folder that containers share, another process of the same number may have replaced the file.
void Server::remove_file() noexcept {
  struct stat status {};
  const SocketName name = std::exchange(name_, SocketName{});
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%d.%d.sock", name.process, name.selector);
  if (::fstatat(folder_.get(), text.data(), &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_ino == file_)
    ::unlinkat(folder_.get(), text.data(), 0);
}

SocketName Server::name() const noexcept {
  const std::lock_guard section(guard_.section_);
  return name_;
}

// In a forked child, by the worker.
void Server::work() noexcept {
  try {
    open();
  } catch (...) {
    // Its parent could, or has said why not.
  }
}

// The thread does not exist here, and the socket and the connections are the parent's.
void Server::forked() noexcept {
  const bool was_open = static_cast<bool>(listener_);
  std::construct_at(&thread_);
  for (Client& client : clients_) {
    std::construct_at(&client.answer);  // the thread may have been changing it
    clear(client);
  }
  listener_ = FileDescriptor(-1);
  stop_ = FileDescriptor(-1);
  folder_ = FileDescriptor(-1);
  name_ = {};
  if (was_open && !is_closed_) worker_.post_in_child(*this);
}

void Server::loop() noexcept {
  bool goes_on = true;
  while (goes_on) {
    try {
      goes_on = turn();
    } catch (...) {
      // Memory is short: whoever asked gets no answer.
      for (Client& client : clients_) drop(client);
    }
  }
}

// Waits for something to do, and does it. False: the server is being closed.
bool Server::turn() {
  std::array<pollfd, clients_max + 2> waits{};
  waits[0] = {stop_.get(), POLLIN, 0};
  waits[1] = {accepts_later_ ? -1 : listener_.get(), POLLIN, 0};
  int wait_ms = accepts_later_ ? accept_again_ms : -1;
  for (std::size_t i = 0; i < clients_max; ++i) {
    const Client& client = clients_[i];
    const bool is_asking = client.answer.empty();
    waits[i + 2] = {client.socket.get(), static_cast<short>(is_asking ? POLLIN : POLLOUT), 0};
    if (is_asking && line_size(client) > 0) wait_ms = 0;
  }
  if (::poll(waits.data(), waits.size(), wait_ms) < 0) return true;  // a debugger's signal
  accepts_later_ = false;
  if (waits[0].revents != 0) return false;
  ++turns_;
  for (std::size_t i = 0; i < clients_max; ++i) {
    Client& client = clients_[i];
    if (waits[i + 2].revents != 0 || (client.answer.empty() && line_size(client) > 0)) serve(client);
  }
  if (waits[1].revents != 0) accept_one();
  return true;
}

void Server::accept_one() noexcept {
  const std::lock_guard section(guard_.section_);
  FileDescriptor socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) {
    accepts_later_ = is_of_resources(errno);
    return;
  }
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return;
  const Peer peer{credentials.pid, credentials.uid};
  if (!admits_(peer)) return;
  Client& client = room();
  client.socket = std::move(socket);
  client.peer = peer;
  client.used = turns_;
}

// A place for one more client: a free one, or that of the client that has been idle for the longest time.
Server::Client& Server::room() noexcept {
  for (Client& client : clients_)
    if (!client.socket) return client;
  Client& idle = *std::min_element(clients_.begin(), clients_.end(),
                                   [](const Client& a, const Client& b) { return a.used < b.used; });
  clear(idle);
  return idle;
}

// One request in each turn, so that a client with many keeps no other from its answer.
void Server::serve(Client& client) {
  client.used = turns_;
  if (client.answer.empty()) {
    if (line_size(client) == 0) receive(client);
    if (line_size(client) == 0) return;
    answer(client);
  }
  send(client);
}

void Server::receive(Client& client) noexcept {
  const std::size_t room = client.request.size() - client.request_size;
  const ssize_t size = ::recv(client.socket.get(), client.request.data() + client.request_size, room, 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return drop(client);
  client.request_size += static_cast<std::size_t>(size);
}

// The size of the first request with its newline, of all that has come if it is too long for a request; 0 if
// it has not come whole.
std::size_t Server::line_size(const Client& client) noexcept {
  const std::string_view text(client.request.data(), client.request_size);
  const std::size_t newline = text.find('\n');
  if (newline != text.npos) return newline + 1;
  return text.size() == client.request.size() ? text.size() : 0;
}

void Server::answer(Client& client) {
  char* const begin = client.request.data();
  const std::string_view text(begin, line_size(client));
  client.sent = 0;
  if (text.back() != '\n') {
    client.answer = too_long;
    client.ends = true;
  } else {
    Answer answer = respond_(text.substr(0, text.size() - 1), client.peer, guard_);
    client.answer = answer.line.size() < answer_bytes_max ? std::move(answer.line) : too_large;
    client.ends = answer.ends;
  }
  client.answer += '\n';
  std::copy(begin + text.size(), begin + client.request_size, begin);
  client.request_size -= text.size();
}

void Server::send(Client& client) noexcept {
  const ssize_t size = ::send(client.socket.get(), client.answer.data() + client.sent,
                              client.answer.size() - client.sent, MSG_NOSIGNAL);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size < 0) return drop(client);
  client.sent += static_cast<std::size_t>(size);
  if (client.sent < client.answer.size()) return;
  std::string().swap(client.answer);  // frees its memory
  if (!client.ends) return;
  // What has not been read when a socket is closed would take the answer from the client.
  constexpr int reads_max = 64;
  for (int i = 0; i < reads_max; ++i)
    if (::recv(client.socket.get(), client.request.data(), client.request.size(), 0) <= 0) break;
  drop(client);
}

void Server::drop(Client& client) noexcept {
  const std::lock_guard section(guard_.section_);
  clear(client);
}

void Server::clear(Client& client) noexcept {
  client.socket = FileDescriptor(-1);
  std::string().swap(client.answer);
  client.request_size = 0;
  client.sent = 0;
  client.ends = false;
}

}  // namespace adaptive::watch
