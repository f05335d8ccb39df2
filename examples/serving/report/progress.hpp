#pragma once

#include <chrono>
#include <string>

// Shows progress on stderr: on a terminal one line that is overwritten, elsewhere a plain line every few
// seconds.

namespace serving {

class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Whether the progress line is due. Callers ask often, so that they make the text only when it is shown.
  bool due() const { return std::chrono::steady_clock::now() >= next_; }
  void show(const std::string& text);
  /// Prints a line that is not overwritten.
  void say(const std::string& text);

 private:
  void clear();

  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace serving
