#include "examples/serving/report/progress.hpp"

#include <unistd.h>

#include <cstdio>

namespace serving {
namespace {

using namespace std::chrono_literals;

}  // namespace

Progress::Progress() : terminal_(isatty(STDERR_FILENO) != 0), next_(std::chrono::steady_clock::now()) {
  if (!terminal_) next_ += 5s;
}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (shown_) std::fputs("\r\033[K", stderr);
  shown_ = false;
}

void Progress::show(const std::string& text) {
  if (terminal_) {
    clear();
    std::fprintf(stderr, "%s", text.c_str());
    std::fflush(stderr);
    shown_ = true;
  } else {
    std::fprintf(stderr, "%s\n", text.c_str());
  }
  next_ = std::chrono::steady_clock::now() + (terminal_ ? 200ms : 5000ms);
}

void Progress::say(const std::string& text) {
  clear();
  std::fprintf(stderr, "%s\n", text.c_str());
}

}  // namespace serving
