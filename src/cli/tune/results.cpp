#include "cli/tune/results.hpp"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "cli/json_output.hpp"
#include "cli/tune/console.hpp"

namespace adaptive::inline v1::cli {
namespace {

using Json = nlohmann::ordered_json;
using tuning::Contestant;
using tuning::TunedShape;

// Pads to a width in characters; µ and ± are two bytes each.
std::string padded(const std::string& text, std::size_t width) {
  const auto wide = static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  return text + std::string(width > wide ? width - wide : 0, ' ');
}

}  // namespace

std::string_view confidence(const TunedShape& shape) {
  if (shape.race.is_tie()) return "tie";
  if (*shape.race.best == 0) return "sure";
  return shape.race.gain() > shape.race.gain_radius() ? "sure" : "unsure";
}

void print_results(const tuning::TuneResult& result, std::ostream& out) {
  std::size_t shape_width = 5, variant_width = 4;
  for (const TunedShape& shape : result.shapes) {
    if (!shape.done) continue;
    shape_width = std::max(shape_width, shape.name.size());
    if (shape.race.best)
      variant_width = std::max(variant_width, shape.race.contestants[*shape.race.best].candidate.name.size());
  }
  out << fmt::format("{:<{}}  {:<{}}  {:>9}  {:>9}  {:>16}  {:<10}  {:>6}\n", "shape", shape_width, "best",
                     variant_width, "latency", "default", "gain", "confidence", "trials");
  for (const TunedShape& shape : result.shapes) {
    if (!shape.done) continue;
    out << fmt::format("{:<{}}  ", shape.name, shape_width);
    if (!shape.race.best) {
      out << (shape.failure ? fmt::format("{}: {}", to_string(*shape.failure), shape.detail)
                            : std::string("all candidates failed"))
          << "\n";
      continue;
    }
    const Contestant& best = shape.race.contestants[*shape.race.best];
    const Contestant& first = shape.race.contestants.front();
    const std::string gain =
        *shape.race.best == 0
            ? "0.0 %"
            : fmt::format("{:.1f} ± {:.1f} %", 100.0 * shape.race.gain(), 100.0 * shape.race.gain_radius());
    out << fmt::format("{:<{}}  ", best.candidate.name, variant_width)
        << padded(latency_text(best.location_us), 9) << "  "
        << padded(first.count > 0 ? latency_text(first.location_us) : "failed", 9) << "  " << padded(gain, 16)
        << "  " << fmt::format("{:<10}  {:>6}\n", confidence(shape), shape.race.trials);
  }
}

std::string failure_summary(const tuning::TuneResult& result) {
  std::size_t total = 0;
  std::string kinds;
  for (const auto& [status, count] : result.failures()) {
    total += count;
    kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", count, to_string(status));
  }
  return total == 0 ? "" : fmt::format("{} failed: {}", total, kinds);
}

Json tuned_shape_json(const TunedShape& shape) {
  Json json = {{"shape", shape.name}, {"done", shape.done}, {"trials", shape.race.trials}};
  json["kernel_ms"] = shape.race.kernel_us / 1e3;
  json["throttled"] = shape.race.throttled;
  if (shape.failure) {
    json["failure"] = to_string(*shape.failure);
    json["detail"] = shape.detail;
  }
  if (!shape.race.best) return json;
  const Contestant& best = shape.race.contestants[*shape.race.best];
  json["best"] = best.candidate.name;
  json["parameters"] = parameters_json(best.candidate.parameters);
  json["latency_us"] = best.location_us;
  json["default"] = shape.race.contestants.front().candidate.name;
  const double default_us = shape.race.contestants.front().location_us;
  json["default_us"] = default_us > 0.0 ? Json(default_us) : Json();
  json["gain_percent"] = 100.0 * shape.race.gain();
  json["gain_confidence_percent"] = 100.0 * shape.race.gain_radius();
  json["confidence"] = confidence(shape);
  json["memory_bytes"] = best.candidate.memory;
  json["bytes"] = shape.bytes;
  json["bytes_per_s"] = shape.bytes / (best.location_us * 1e-6);
  json["operations_per_s"] = shape.operations / (best.location_us * 1e-6);
  Json candidates = Json::array();
  for (const Contestant& contestant : shape.race.contestants) {
    Json one = {{"variant", contestant.candidate.name},
                {"outcome", to_string(contestant.outcome)},
                {"samples", contestant.count}};
    if (contestant.status != tuning::TrialStatus::ok) one["failure"] = to_string(contestant.status);
    one["memory_bytes"] = contestant.candidate.memory;
    if (contestant.count > 0) {
      one["latency_us"] = contestant.location_us;
      one["operations_per_s"] = shape.operations / (contestant.location_us * 1e-6);
      one["mean_us"] = contestant.mean_us;
      one["deviation_us"] = contestant.deviation_us;
    }
    one["prepare_us"] = contestant.prepare_us;
    candidates.push_back(std::move(one));
  }
  json["candidates"] = std::move(candidates);
  return json;
}

}  // namespace adaptive::cli
