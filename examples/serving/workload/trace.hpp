#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "examples/serving/workload/request_source.hpp"

// A recorded trace in the format of the Azure LLM inference trace 2023:
//
//   TIMESTAMP,ContextTokens,GeneratedTokens
//   2023-11-16 18:17:03.9799600,4808,10

namespace serving {

struct Trace {
  std::vector<Request> requests;      ///< sorted by arrival; the first arrives at 0
  std::vector<std::string> problems;  ///< "file:line: problem" of the first skipped lines
  std::size_t skipped = 0;            ///< number of all skipped lines
};

inline constexpr std::size_t trace_problems_max = 10;
inline constexpr std::size_t trace_requests_max = 1'000'000;  ///< further requests are not read

/// Reads a trace. A line that is not a request is skipped and reported. Throws adaptive::Error if the file
/// cannot be read, lacks a column, or has no requests.
Trace read_trace(const std::filesystem::path& path);

/// Gives the requests of a trace once.
class TraceRequests final : public RequestSource {
 public:
  explicit TraceRequests(std::vector<Request> requests) : requests_(std::move(requests)) {}
  std::optional<Request> next() override {
    if (position_ == requests_.size()) return std::nullopt;
    return requests_[position_++];
  }

 private:
  std::vector<Request> requests_;
  std::size_t position_ = 0;
};

}  // namespace serving
