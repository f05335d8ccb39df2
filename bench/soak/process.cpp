#include "bench/soak/process.hpp"

#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include "files/file_descriptor.hpp"

namespace adaptive::bench {
namespace {

constexpr double mib = 1 << 20;

std::size_t entries_of(const char* folder) {
  const std::filesystem::directory_iterator all(folder);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

std::chrono::duration<double> time_of(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) throw std::runtime_error("there is no clock of processor time");
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  double total = 0;
  double resident = 0;
  if (!(file >> total >> resident)) throw std::runtime_error("/proc/self/statm cannot be read");
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / mib;
}

}  // namespace

std::size_t heap_bytes() {
  const struct mallinfo2 info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

ProcessState process_state() {
  return {.resident_mib = resident_mib(),
          .heap_mib = static_cast<double>(heap_bytes()) / mib,
          .descriptors = entries_of("/proc/self/fd") - 1,  // one is that of the folder itself
          .threads = entries_of("/proc/self/task"),
          .processor_time = time_of(CLOCK_PROCESS_CPUTIME_ID)};
}

std::chrono::duration<double> thread_time() {
  return time_of(CLOCK_THREAD_CPUTIME_ID);
}

std::string http_get(int port, const std::string& path) {
  const table::FileDescriptor connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::string request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
  std::string answer;
  if (connection && ::connect(connection.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
      ::send(connection.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
          static_cast<ssize_t>(request.size())) {
    std::array<char, 4096> buffer{};
    for (ssize_t size = 0; (size = ::recv(connection.get(), buffer.data(), buffer.size(), 0)) > 0;)
      answer.append(buffer.data(), static_cast<std::size_t>(size));
  }
  const std::size_t header = answer.find("\r\n\r\n");
  if (answer.find(" 200 ") > answer.find("\r\n") || header == std::string::npos)
    throw std::runtime_error("no answer at http://127.0.0.1:" + std::to_string(port) + path);
  return answer.substr(header + 4);
}

}  // namespace adaptive::bench
