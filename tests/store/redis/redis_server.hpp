// Starts a private Redis server on a Unix socket in a folder; it stores nothing on disk.
#pragma once

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

#include <adaptive/error.hpp>
#include <adaptive/redis.hpp>

namespace adaptive::test {

class RedisServer {
 public:
  explicit RedisServer(const std::filesystem::path& folder) : socket_((folder / "redis.sock").string()) {}
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() { kill(); }

  /// Returns whether Debian's package redis-server is installed.
  static bool installed() { return std::system("command -v redis-server >/dev/null 2>&1") == 0; }

  RedisOptions options() const { return {.host = socket_, .timeout = std::chrono::seconds(10)}; }

  /// Starts the server, and returns when it answers.
  void start() {
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // also if the test is killed
      const int null = ::open("/dev/null", O_RDWR);
      ::dup2(null, 1);
      ::dup2(null, 2);
      ::execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", socket_.c_str(), "--save", "",
               "--dir", std::filesystem::path(socket_).parent_path().c_str(), nullptr);
      ::_exit(127);
    }
    const auto store = redis_store(options());
    while (true) {
      try {
        store->read("none");
        return;
      } catch (const Error&) {
        if (::waitpid(process_, nullptr, WNOHANG) != 0)
          throw std::runtime_error("redis-server does not start");
        std::this_thread::yield();
      }
    }
  }

  /// Ends the server like a crash.
  void kill() {
    if (process_ <= 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
    std::filesystem::remove(socket_);
  }

 private:
  std::string socket_;
  pid_t process_ = 0;
};

}  // namespace adaptive::test
