#pragma once

#include <chrono>
#include <string>

// Progress on stderr: one line that is written over on a terminal, and elsewhere a plain line every few
// seconds.

namespace serving {

class Progress {
 public:
  Progress();
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Whether it is time for another one: asked often, so that the text is only made when it is shown.
  bool due() const { return std::chrono::steady_clock::now() >= next_; }
  void show(const std::string& text);
  /// A line that stays.
  void say(const std::string& text);

 private:
  void clear();

  bool terminal_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point next_;
};

}  // namespace serving
