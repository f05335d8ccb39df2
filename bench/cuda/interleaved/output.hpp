#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace adaptive::bench {

/// A file with one JSON object per line, for the scripts beside the benchmarks.
class JsonLines {
 public:
  /// Throws std::runtime_error if the file cannot be written.
  explicit JsonLines(const std::string& path);
  JsonLines(const JsonLines&) = delete;
  JsonLines& operator=(const JsonLines&) = delete;
  ~JsonLines();

  JsonLines& text(const char* key, const std::string& value);
  JsonLines& number(const char* key, double value);
  JsonLines& numbers(const char* key, std::span<const std::int64_t> values);
  JsonLines& microseconds(const char* key, const std::map<std::string, double>& by_name);
  void end_line();

 private:
  void key(const char* name);
  std::FILE* file_;
  bool first_ = true;
};

/// Name and value of the smallest entry.
std::pair<std::string, double> least(const std::map<std::string, double>& by_name);

}  // namespace adaptive::bench
