#include "examples/serving/workload/request_source.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace serving {
namespace {

std::int64_t tokens(double value, std::int64_t most) {
  return std::clamp(static_cast<std::int64_t>(std::llround(std::min(value, 1e9))), std::int64_t{1}, most);
}

}  // namespace

// The distributions of <random> differ between standard libraries; this code does not.

double GeneratedRequests::exponential() {
  return -std::log1p(-random_.uniform());
}

double GeneratedRequests::normal() {
  const double radius = std::sqrt(2 * exponential());  // Box and Muller; the second value is not used
  return radius * std::cos(2 * std::numbers::pi * random_.uniform());
}

std::optional<Request> GeneratedRequests::next() {
  const double wave = std::sin(2 * std::numbers::pi * now_s_ / options_.wave_period_s);
  now_s_ += exponential() / (options_.requests_per_s * (1 + options_.wave_depth * wave));
  const double stop = std::log1p(-1 / std::max(options_.output_mean, 1.0 + 1e-9));
  Request request;
  request.arrival_s = now_s_;
  request.prompt_tokens =
      tokens(options_.prompt_median * std::exp(options_.prompt_sigma * normal()), options_.tokens_max);
  request.output_tokens = tokens(std::ceil(-exponential() / stop), options_.tokens_max);
  return request;
}

}  // namespace serving
