// Output of a long command while it runs: messages and, on a terminal, one line of progress below them.
#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iosfwd>
#include <string>

#include <adaptive/log.hpp>

namespace adaptive::inline v1::cli {

struct ConsoleOptions {
  LogLevel level = LogLevel::info;
  bool quiet = false;               ///< errors only
  bool terminal = false;            ///< false: progress is not shown
  std::filesystem::path file = {};  ///< receives everything, with the time
};

/// Whether `stream` is the program's stderr and is connected to a terminal.
bool is_terminal(const std::ostream& stream);

class Console {
 public:
  /// Throws `Error` if the file cannot be written.
  Console(std::ostream& err, const ConsoleOptions& options);
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  ~Console();

  void say(LogLevel level, const std::string& text);

  bool shows_progress() const noexcept { return options_.terminal && !options_.quiet; }
  /// Whether the progress line is due. Callers ask often, so that they make the text only when it is shown.
  bool progress_due() const;
  void progress(const std::string& text);

 private:
  void clear();

  std::ostream& err_;
  ConsoleOptions options_;
  std::ofstream file_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_{};
};

/// Returns "[######------------]" with `cells` cells.
std::string progress_bar(std::size_t done, std::size_t of, std::size_t cells);
/// Returns "1:05" or "2:03:04".
std::string duration_text(double seconds);
/// Returns for example "0.852 µs", "42.3 µs" or "1.25 ms", with at least three digits.
std::string latency_text(double us);

}  // namespace adaptive::cli
