#include "bench/cuda/interleaved/output.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace adaptive::bench {

JsonLines::JsonLines(const std::string& path) : file_(std::fopen(path.c_str(), "w")) {
  if (file_ == nullptr) throw std::runtime_error("cannot write " + path);
}

JsonLines::~JsonLines() {
  std::fclose(file_);
}

void JsonLines::key(const char* name) {
  std::fprintf(file_, "%c\"%s\":", first_ ? '{' : ',', name);
  first_ = false;
}

JsonLines& JsonLines::text(const char* name, const std::string& value) {
  key(name);
  std::fprintf(file_, "\"%s\"", value.c_str());
  return *this;
}

JsonLines& JsonLines::number(const char* name, double value) {
  key(name);
  std::fprintf(file_, "%.0f", value);
  return *this;
}

JsonLines& JsonLines::numbers(const char* name, std::span<const std::int64_t> values) {
  key(name);
  const char* separator = "";
  std::fprintf(file_, "[");
  for (const std::int64_t value : values) {
    std::fprintf(file_, "%s%lld", separator, static_cast<long long>(value));
    separator = ",";
  }
  std::fprintf(file_, "]");
  return *this;
}

JsonLines& JsonLines::microseconds(const char* name, const std::map<std::string, double>& by_name) {
  key(name);
  const char* separator = "";
  std::fprintf(file_, "{");
  for (const auto& [of, us] : by_name) {
    std::fprintf(file_, "%s\"%s\":%.2f", separator, of.c_str(), us);
    separator = ",";
  }
  std::fprintf(file_, "}");
  return *this;
}

void JsonLines::end_line() {
  std::fprintf(file_, "}\n");
  std::fflush(file_);
  first_ = true;
}

std::pair<std::string, double> least(const std::map<std::string, double>& by_name) {
  if (by_name.empty()) throw std::runtime_error("no variant ran");
  return *std::min_element(by_name.begin(), by_name.end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; });
}

}  // namespace adaptive::bench
