#pragma once

#include <cstdint>
#include <optional>

#include <adaptive/random.hpp>

// The sources of requests: a built-in generator in this file, and recorded traces in trace.hpp.

namespace serving {

struct Request {
  double arrival_s = 0;  ///< on the simulated clock
  std::int64_t prompt_tokens = 1;
  std::int64_t output_tokens = 1;
};

/// Returns requests in the order of their arrival.
class RequestSource {
 public:
  RequestSource() = default;
  RequestSource(const RequestSource&) = delete;
  RequestSource& operator=(const RequestSource&) = delete;
  virtual ~RequestSource() = default;

  /// Nothing if there are no more requests.
  virtual std::optional<Request> next() = 0;
};

struct GeneratorOptions {
  double requests_per_s = 12;  ///< on average; a slow wave creates busy and quiet periods
  double wave_depth = 0.9;     ///< the rate varies between 1 - depth and 1 + depth times the average
  double wave_period_s = 8;
  double prompt_median = 96;       ///< log-normal
  double prompt_sigma = 1.0;       ///< of the natural logarithm
  double output_mean = 48;         ///< geometric: the answer ends after each token with the same probability
  std::int64_t tokens_max = 4096;  ///< maximum length of a prompt and of an answer: the context window
  std::uint64_t seed = 0;
};

/// An endless sequence of requests, the same for the same options on every machine.
class GeneratedRequests final : public RequestSource {
 public:
  explicit GeneratedRequests(const GeneratorOptions& options) : options_(options), random_(options.seed) {}
  std::optional<Request> next() override;

 private:
  double exponential();
  double normal();

  GeneratorOptions options_;
  adaptive::Random random_;
  double now_s_ = 0;
};

}  // namespace serving
