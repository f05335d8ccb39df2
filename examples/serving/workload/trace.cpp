#include "examples/serving/workload/trace.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fstream>
#include <string_view>

#include <adaptive/error.hpp>

namespace serving {
namespace {

constexpr std::int64_t tokens_max = 10'000'000;  // a larger number is a broken line, not a prompt

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> cells;
  while (true) {
    const std::size_t comma = line.find(',');
    cells.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return cells;
    line.remove_prefix(comma + 1);
  }
}

template <class Number>
bool read_whole(std::string_view text, Number& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

/// Parses "2023-11-16 18:17:03.9799600" to seconds since 1970. The fraction may be missing.
std::optional<double> read_time(std::string_view text) {
  if (text.size() < 19 || text[4] != '-' || text[7] != '-' || text[10] != ' ' || text[13] != ':' ||
      text[16] != ':')
    return std::nullopt;
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0;
  double second = 0;
  if (!read_whole(text.substr(0, 4), year) || !read_whole(text.substr(5, 2), month) ||
      !read_whole(text.substr(8, 2), day) || !read_whole(text.substr(11, 2), hour) ||
      !read_whole(text.substr(14, 2), minute) || !read_whole(text.substr(17), second))
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || !(second >= 0 && second < 61)) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch();
  return static_cast<double>(std::chrono::seconds(days).count()) + 3600.0 * hour + 60.0 * minute + second;
}

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), file_(path) {
    if (!file_)
      throw adaptive::Error(adaptive::ErrorCode::io, "cannot be opened", path.string(),
                            "give --trace a readable file");
  }

  Trace read() {
    read_header();
    Trace trace;
    std::string line;
    while (trace.requests.size() < trace_requests_max && next(line)) {
      if (line.empty()) continue;
      Request request;
      const std::string problem = read_request(line, request);
      if (problem.empty()) {
        trace.requests.push_back(request);
      } else if (++trace.skipped <= trace_problems_max) {
        trace.problems.push_back(place() + ": " + problem + "; line skipped");
      }
    }
    if (trace.requests.empty())
      throw adaptive::Error(adaptive::ErrorCode::corrupt, "has no requests", path_.string());
    std::stable_sort(trace.requests.begin(), trace.requests.end(),
                     [](const Request& a, const Request& b) { return a.arrival_s < b.arrival_s; });
    const double first = trace.requests.front().arrival_s;
    for (Request& request : trace.requests) request.arrival_s -= first;
    return trace;
  }

 private:
  std::string place() const { return path_.string() + ":" + std::to_string(line_); }

  bool next(std::string& line) {
    if (!std::getline(file_, line)) return false;
    ++line_;
    if (line.ends_with('\r')) line.pop_back();
    return true;
  }

  void read_header() {
    constexpr std::array<std::string_view, 3> names = {"TIMESTAMP", "ContextTokens", "GeneratedTokens"};
    std::string line;
    next(line);
    const std::vector<std::string_view> cells = split(line);
    cells_ = cells.size();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto found = std::find(cells.begin(), cells.end(), names[i]);
      if (found == cells.end())
        throw adaptive::Error(adaptive::ErrorCode::corrupt, "has no column " + std::string(names[i]),
                              path_.string() + ":1",
                              "the first line must name TIMESTAMP, ContextTokens and GeneratedTokens");
      columns_[i] = static_cast<std::size_t>(found - cells.begin());
    }
  }

  /// Returns an empty text, or the problem of the line.
  std::string read_request(std::string_view line, Request& request) const {
    const std::vector<std::string_view> cells = split(line);
    if (cells.size() != cells_)
      return "expected " + std::to_string(cells_) + " cells, got " + std::to_string(cells.size());
    const auto time = read_time(cells[columns_[0]]);
    if (!time)
      return "'" + std::string(cells[columns_[0]]) + "' is not a time like 2023-11-16 18:17:03.9799600";
    request.arrival_s = *time;
    for (const auto& [column, tokens] :
         {std::pair(columns_[1], &request.prompt_tokens), std::pair(columns_[2], &request.output_tokens)})
      if (!read_whole(cells[column], *tokens) || *tokens < 1 || *tokens > tokens_max)
        return "'" + std::string(cells[column]) + "' is not a number of tokens from 1 to " +
               std::to_string(tokens_max);
    return {};
  }

  std::filesystem::path path_;
  std::ifstream file_;
  std::size_t line_ = 0;
  std::size_t cells_ = 0;
  std::array<std::size_t, 3> columns_{};
};

}  // namespace

Trace read_trace(const std::filesystem::path& path) {
  return Reader(path).read();
}

}  // namespace serving
