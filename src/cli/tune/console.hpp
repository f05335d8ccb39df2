// What a long command says while it runs: messages, and on a terminal one line of progress below them.
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
  bool terminal = false;            ///< else there is no progress
  std::filesystem::path file = {};  ///< everything, with the time
};

/// Whether `stream` is the program's stderr, and that a terminal.
bool is_terminal(const std::ostream& stream);

class Console {
 public:
  /// Throws `Error` where the file cannot be written.
  Console(std::ostream& err, const ConsoleOptions& options);
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;
  ~Console();

  void say(LogLevel level, const std::string& text);

  bool shows_progress() const noexcept { return options_.terminal && !options_.quiet; }
  /// Whether it is time for another: asked often, so that the text is only made when it is shown.
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

/// "[######------------]" of so many cells.
std::string progress_bar(std::size_t done, std::size_t of, std::size_t cells);
/// "1:05", "2:03:04"
std::string duration_text(double seconds);
/// "0.852 µs", "42.3 µs", "1.25 ms": three digits or more.
std::string latency_text(double us);

}  // namespace adaptive::cli
