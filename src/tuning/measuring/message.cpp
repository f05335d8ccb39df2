#include "tuning/measuring/message.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace adaptive::inline v1::tuning {

Channel::~Channel() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool Channel::send(const Message& message) const {
  const auto size = static_cast<std::uint64_t>(message.bytes().size());
  std::string frame(reinterpret_cast<const char*>(&size), sizeof size);
  frame += message.bytes();
  for (std::size_t done = 0; done < frame.size();) {
    // Without SIGPIPE: a closed channel is reported by the return value.
    const ssize_t sent = ::send(descriptor_, frame.data() + done, frame.size() - done, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    done += static_cast<std::size_t>(sent);
  }
  return true;
}

bool Channel::receive_bytes(char* to, std::size_t size) const {
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = ::recv(descriptor_, to + done, size - done, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

Channel::Received Channel::receive(Message& message, double seconds_max) const {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  while (seconds_max >= 0.0) {
    const double left = seconds_max - std::chrono::duration<double>(Clock::now() - begin).count();
    pollfd waiting{.fd = descriptor_, .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::clamp(left * 1e3, 0.0, 1e9)));
    if (ready > 0) break;
    if (ready == 0 && left <= 0.0) return Received::timed_out;
    if (ready < 0 && errno != EINTR) return Received::closed;
  }
  std::uint64_t size = 0;
  if (!receive_bytes(reinterpret_cast<char*>(&size), sizeof size)) return Received::closed;
  std::string bytes(size, '\0');
  if (!receive_bytes(bytes.data(), bytes.size())) return Received::closed;
  message = Message(std::move(bytes));
  return Received::message;
}

}  // namespace adaptive::tuning
