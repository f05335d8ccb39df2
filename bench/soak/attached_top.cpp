#include "bench/soak/attached_top.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <thread>

namespace adaptive::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view begins_screen = "\033[H";
constexpr std::chrono::seconds quit_wait_max{10};

pid_t start(const std::filesystem::path& tool, const std::filesystem::path& sockets, const char* terminal) {
  std::array<std::string, 4> words = {tool.string(), "top", "--folder", sockets.string()};
  std::array<char*, words.size() + 1> arguments{};
  std::transform(words.begin(), words.end(), arguments.begin(),
                 [](std::string& word) { return word.data(); });
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  // The first terminal that a session opens is the one that controls it.
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, terminal, O_RDWR, 0);
  ::posix_spawn_file_actions_adddup2(&actions, STDIN_FILENO, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t process = -1;
  const int error = ::posix_spawn(&process, tool.c_str(), &actions, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error(tool.string() + " cannot be started");
  return process;
}

}  // namespace

AttachedTop::AttachedTop(const std::filesystem::path& tool, const std::filesystem::path& sockets)
    : terminal_(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
  std::array<char, 64> name{};
  const winsize size{.ws_row = 50, .ws_col = 160, .ws_xpixel = 0, .ws_ypixel = 0};
  if (!terminal_ || ::grantpt(terminal_.get()) != 0 || ::unlockpt(terminal_.get()) != 0 ||
      ::ptsname_r(terminal_.get(), name.data(), name.size()) != 0 ||
      ::ioctl(terminal_.get(), TIOCSWINSZ, &size) != 0)
    throw std::runtime_error("there is no terminal for adaptive top");
  process_ = start(tool, sockets, name.data());
}

AttachedTop::~AttachedTop() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

void AttachedTop::watch(Clock::time_point end) {
  for (Clock::time_point now = Clock::now(); now < end; now = Clock::now()) {
    pollfd waits{.fd = terminal_.get(), .events = POLLIN, .revents = 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - now);
    if (::poll(&waits, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 1000))) <= 0) continue;
    std::array<char, 65536> buffer{};
    const ssize_t size = ::read(terminal_.get(), buffer.data(), buffer.size());
    if (size <= 0) {  // the tool has ended; `stop` says why
      std::this_thread::sleep_until(end);
      return;
    }
    const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
    for (std::size_t at = text.find(begins_screen); at != text.npos; at = text.find(begins_screen, at + 1))
      ++screens_;
  }
}

std::chrono::duration<double> AttachedTop::stop() {
  const bool asked = ::write(terminal_.get(), "q", 1) == 1;
  int status = 0;
  rusage usage{};
  pid_t ended = 0;
  const Clock::time_point end = Clock::now() + quit_wait_max;
  while (asked && ended == 0 && Clock::now() < end) {
    watch(Clock::now() + std::chrono::milliseconds(50));
    ended = ::wait4(process_, &status, WNOHANG, &usage);
  }
  if (ended != process_ || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw std::runtime_error("adaptive top has failed or does not quit");
  process_ = -1;
  const auto seconds = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace adaptive::bench
