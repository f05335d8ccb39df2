#include "cli/tune/console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <ctime>
#include <iostream>

#include <fmt/format.h>

#include <adaptive/error.hpp>

#include "base/time_text.hpp"
#include "files/system_error.hpp"

namespace adaptive::inline v1::cli {
namespace {

using namespace std::chrono_literals;

const char* level_name(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "";
}

// The width of the terminal. A line that wraps could not be overwritten.
std::size_t console_columns() {
  winsize size{};
  constexpr std::size_t usual = 80;
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : usual;
}

}  // namespace

bool is_terminal(const std::ostream& stream) {
  return &stream == &std::cerr && ::isatty(STDERR_FILENO) != 0;
}

Console::Console(std::ostream& err, const ConsoleOptions& options) : err_(err), options_(options) {
  if (options_.file.empty()) return;
  file_.open(options_.file, std::ios::app);
  if (!file_) throw table::system_error("cannot be written", options_.file, errno);
}

Console::~Console() {
  clear();
}

void Console::clear() {
  if (shown_) err_ << "\r\033[K" << std::flush;
  shown_ = false;
}

void Console::say(LogLevel level, const std::string& text) {
  if (file_.is_open())
    file_ << table::time_text(std::time(nullptr)) << ' ' << level_name(level) << ' ' << text << std::endl;
  if (level < (options_.quiet ? LogLevel::error : options_.level)) return;
  clear();
  if (level >= LogLevel::warning) err_ << level_name(level) << ": ";
  err_ << text << std::endl;
}

bool Console::progress_due() const {
  return shows_progress() && std::chrono::steady_clock::now() >= next_;
}

void Console::progress(const std::string& text) {
  if (!shows_progress()) return;
  clear();
  err_ << text.substr(0, console_columns() - 1) << std::flush;
  shown_ = true;
  next_ = std::chrono::steady_clock::now() + 200ms;
}

std::string progress_bar(std::size_t done, std::size_t of, std::size_t cells) {
  const std::size_t full = of == 0 ? cells : std::min(cells, done * cells / of);
  return "[" + std::string(full, '#') + std::string(cells - full, '-') + "]";
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<long>(std::llround(std::max(0.0, seconds)));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string latency_text(double us) {
  if (us >= 1e6) return fmt::format("{:.3g} s", us / 1e6);
  if (us >= 1e5) return fmt::format("{:.0f} ms", us / 1e3);
  if (us >= 1e3) return fmt::format("{:.3g} ms", us / 1e3);
  return us >= 100.0 ? fmt::format("{:.0f} µs", us) : fmt::format("{:.3g} µs", us);
}

}  // namespace adaptive::cli
