// The listening side of a socket: connections and lines, not what they say.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/fork.hpp"
#include "files/file_descriptor.hpp"
#include "learning/worker.hpp"
#include "watch/socket/socket_folder.hpp"

namespace adaptive::inline v1::watch {

/// The process that asks, as the kernel names it.
struct Peer {
  pid_t process = 0;
  uid_t user = 0;
};

/// Keeps the process from forking for a short while, so that no lock that a thread takes meanwhile is left
/// taken in the child, where that thread does not exist.
class ForkGuard {
 public:
  /// Calls `attempt` with forks held off, again every millisecond until it returns true. It must wait for no
  /// lock that is held while code of the program runs, which might fork; where it finds one taken, it returns
  /// false. False after five seconds.
  bool run(const std::function<bool()>& attempt);

 private:
  friend class Server;
  std::mutex section_;
  std::atomic<bool> is_stopped_{false};
};

struct Answer {
  std::string line = {};  ///< without its newline
  bool ends = false;      ///< whether the connection ends with it
};
/// Called by one thread at a time. It must not throw anything but `std::bad_alloc`.
using Respond = std::function<Answer(std::string_view line, const Peer& peer, ForkGuard& guard)>;

/// Which processes may connect. A value of the server, so that a test can stand for another user.
using Admits = bool (*)(const Peer& peer) noexcept;
bool is_own_user(const Peer& peer) noexcept;

/// Listens in a folder with one thread. `open`, `close` and the destructor are for the selector's thread or,
/// in a forked child, its worker's.
class Server final : public core::Worker::Task, private core::ForkSection {
 public:
  static constexpr std::size_t request_bytes_max = 4096;
  static constexpr std::size_t answer_bytes_max = std::size_t{4} << 20;
  static constexpr std::size_t clients_max = 8;

  /// In a forked child the server is a task of `worker`: it opens a socket of the child's own.
  Server(std::filesystem::path folder, core::Worker& worker, Respond respond, Admits admits = is_own_user);
  ~Server() override;

  /// Makes the socket and starts the thread. Throws `Error`.
  void open();
  /// Ends the thread and removes the socket. There is none from now on.
  void close() noexcept;

  /// The process and the number under which the selector is found; zeros while the server is not open.
  SocketName name() const noexcept;

 private:
  struct Client {
    table::FileDescriptor socket{-1};
    Peer peer = {};
    std::uint64_t used = 0;  // the turn in which it was last heard of
    std::array<char, request_bytes_max> request{};
    std::size_t request_size = 0;
    std::string answer;
    std::size_t sent = 0;
    bool ends = false;  // after what is still to be sent
  };

  Step prepare() noexcept override { return Step::work; }
  void work() noexcept override;
  bool finish() noexcept override { return true; }

  static std::size_t line_size(const Client& client) noexcept;
  static void clear(Client& client) noexcept;

  void listen();
  void publish(const std::string& from);
  void remove_file() noexcept;

  void loop() noexcept;
  bool turn();
  void accept_one() noexcept;
  Client& room() noexcept;
  void serve(Client& client);
  void receive(Client& client) noexcept;
  void answer(Client& client);
  void send(Client& client) noexcept;
  void drop(Client& client) noexcept;
  void forked() noexcept override;

  const std::filesystem::path folder_path_;
  core::Worker& worker_;
  const Respond respond_;
  const Admits admits_;

  mutable ForkGuard guard_;  // its section guards what follows while it changes
  table::FileDescriptor folder_{-1};
  table::FileDescriptor listener_{-1};
  table::FileDescriptor stop_{-1};
  std::array<Client, clients_max> clients_;
  SocketName name_;
  ino_t file_ = 0;  // of the socket in its folder
  bool is_closed_ = false;
  std::thread thread_;

  // Only the thread uses these.
  std::uint64_t turns_ = 0;
  bool accepts_later_ = false;  // out of descriptors or memory
};

}  // namespace adaptive::watch
