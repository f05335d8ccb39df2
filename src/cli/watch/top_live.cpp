#include "cli/watch/top_live.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <iostream>
#include <optional>

#include <fmt/format.h>

namespace adaptive::inline v1::cli {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr double share_of_core_max = 0.005;

volatile std::sig_atomic_t top_interrupted = 0;

void on_top_signal(int) {
  top_interrupted = 1;
}

struct ScreenSize {
  std::size_t columns = 80;
  std::size_t lines = 24;
};

ScreenSize screen_size() {
  winsize size{};
  ScreenSize result;
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return result;
  if (size.ws_col > 0) result.columns = size.ws_col;
  if (size.ws_row > 0) result.lines = size.ws_row;
  return result;
}

// The other screen of the terminal, without echo; as long as the object lives.
class Screen {
 public:
  Screen() {
    ::tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    struct sigaction action {};
    action.sa_handler = on_top_signal;  // without SA_RESTART, so that waiting ends
    ::sigaction(SIGINT, &action, &before_int_);
    ::sigaction(SIGTERM, &action, &before_term_);
    std::cout << "\033[?1049h\033[?25l" << std::flush;
  }
  ~Screen() {
    std::cout << "\033[?25h\033[?1049l" << std::flush;
    ::sigaction(SIGINT, &before_int_, nullptr);
    ::sigaction(SIGTERM, &before_term_, nullptr);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // In one write, and without clearing the screen first, so that nothing flickers.
  static void show(const std::vector<std::string>& lines, std::size_t height) {
    std::string text = "\033[H";
    for (std::size_t i = 0; i < height; ++i) {
      if (i < lines.size()) text += lines[i];
      text += i + 1 < height ? "\033[K\n" : "\033[K";
    }
    std::cout << text << std::flush;
  }

 private:
  termios before_{};
  struct sigaction before_int_ {};
  struct sigaction before_term_ {};
};

// What has been typed meanwhile; empty if nothing was.
std::string wait_for_typing(std::chrono::milliseconds most) {
  pollfd wait{STDIN_FILENO, POLLIN, 0};
  if (::poll(&wait, 1, static_cast<int>(most.count())) <= 0) return {};
  std::array<char, 64> typed{};
  const ssize_t size = ::read(STDIN_FILENO, typed.data(), typed.size());
  if (size <= 0) top_interrupted = 1;  // the terminal is gone
  return {typed.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

std::string status_line(const TopState& state, std::chrono::milliseconds interval) {
  if (state.is_typing) return "filter: " + state.filter + "_";
  return fmt::format(
      "sorted by {}{}, every {:.1f} s   q quit  s sort  / filter  up/down select  enter explain", state.sort,
      state.filter.empty() ? "" : ", only " + state.filter, std::chrono::duration<double>(interval).count());
}

void type_filter(TopState& state, char c) {
  constexpr std::size_t filter_max = 200;
  if (c == '\n' || c == '\r')
    state.is_typing = false;
  else if (c == '\033')
    state.is_typing = false, state.filter.clear();
  else if (c == '\b' || c == '\x7F')
    state.filter.resize(state.filter.size() - std::min<std::size_t>(state.filter.size(), 1));
  else if (static_cast<unsigned char>(c) >= 0x20 && state.filter.size() < filter_max)
    state.filter += c;
}

}  // namespace

bool type_at_top(TopState& state, std::string_view typed, const std::vector<TopRow>& rows) {
  const TopState before = state;
  const auto move = [&](bool up) {
    if (up && state.selected > 0) --state.selected;
    if (!up && state.selected + 1 < rows.size()) ++state.selected;
  };
  for (std::size_t i = 0; i < typed.size(); ++i) {
    if (typed.compare(i, 2, "\033[") == 0 && i + 2 < typed.size()) {
      i += 2;
      if (!state.is_typing && typed[i] == 'A') move(true);
      if (!state.is_typing && typed[i] == 'B') move(false);
      continue;
    }
    const char c = typed[i];
    if (state.is_typing) {
      type_filter(state, c);
      continue;
    }
    if (c == 'q') state.is_over = !state.explains, state.explains = false;
    if (c == '\033') state.explains = false;
    if (c == 'k') move(true);
    if (c == 'j') move(false);
    if (c == '\n' || c == '\r') state.explains = !state.explains && !rows.empty();
    if (c == '/') state.is_typing = true, state.explains = false;
    if (c == 's') {
      const std::vector<std::string>& orders = top_orders();
      const auto at = std::find(orders.begin(), orders.end(), state.sort);
      state.sort = at == orders.end() || at + 1 == orders.end() ? orders.front() : *(at + 1);
    }
  }
  return state.sort != before.sort || state.filter != before.filter;
}

std::chrono::milliseconds top_interval(std::chrono::milliseconds asked, const std::vector<Json>& answers) {
  double longest_ms = 0.0;
  for (const Json& answer : answers)
    if (const auto at = answer.find("took_ms"); at != answer.end() && at->is_number())
      longest_ms = std::max(longest_ms, at->get<double>());
  constexpr double day_ms = 86'400'000.0;
  return std::max(asked, std::chrono::milliseconds(
                             static_cast<std::int64_t>(std::min(longest_ms / share_of_core_max, day_ms))));
}

void run_top(const TopState& begin, std::chrono::milliseconds interval, const AskAll& ask,
             const ExplainRow& explain) {
  top_interrupted = 0;
  const Screen screen;
  TopState state = begin;
  std::vector<Json> answers;
  std::vector<Json> before;
  std::vector<std::string> explanation;
  double seconds = 0.0;
  std::optional<Clock::time_point> asked_at;
  bool is_due = true;
  std::chrono::milliseconds wait = interval;
  while (!state.is_over && top_interrupted == 0) {
    const ScreenSize size = screen_size();
    const std::size_t limit = size.lines;
    if (is_due) {
      before = std::move(answers);
      answers = ask(state, limit);
      const Clock::time_point now = Clock::now();
      seconds = asked_at ? std::chrono::duration<double>(now - *asked_at).count() : 0.0;
      asked_at = now;
      wait = top_interval(interval, answers);
    }
    const std::vector<TopRow> rows = top_rows(answers, state.sort, limit);
    state.selected = std::min(state.selected, rows.empty() ? 0 : rows.size() - 1);
    if (state.explains && (is_due || explanation.empty()) && !rows.empty())
      explanation = explain(rows[state.selected]);
    if (!state.explains) explanation.clear();

    std::vector<std::string> lines = {fitted(status_line(state, wait), size.columns)};
    for (const std::string& line : explanation) lines.push_back(fitted(line, size.columns));
    if (explanation.empty())
      for (std::string& line :
           top_lines(answers, rows, before, seconds,
                     {.columns = size.columns, .colours = true, .selected = state.selected}))
        lines.push_back(std::move(line));
    if (answers.empty()) lines.emplace_back("No process listens. Start one with ADAPTIVE_SOCKET=1.");
    Screen::show(lines, size.lines);

    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*asked_at + wait - Clock::now());
    const std::string typed = wait_for_typing(std::max(left, 0ms));
    is_due = type_at_top(state, typed, rows) || Clock::now() >= *asked_at + wait;
  }
}

bool is_live_terminal(const std::ostream& out) {
  return &out == &std::cout && ::isatty(STDOUT_FILENO) != 0 && ::isatty(STDIN_FILENO) != 0;
}

}  // namespace adaptive::cli
