#include "tuning/measuring/measurement.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <ostream>
#include <random>
#include <sstream>
#include <string_view>
#include <type_traits>
#include <variant>

#include <adaptive/error.hpp>
#include <adaptive/statistics.hpp>

#include "table/merging/merge.hpp"
#include "tuning/cuda_operation.hpp"

namespace adaptive::inline v1::tuning {
namespace {

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;  // names have no control characters
  }
  return result + "\"";
}

void print_value(std::ostream& out, const kernels::Dimension& dimension, std::int64_t value) {
  using Kind = kernels::Dimension::Kind;
  if (dimension.kind == Kind::label) {
    out << quoted(dimension.labels.at(static_cast<std::size_t>(value)));
  } else if (dimension.kind == Kind::label_set) {
    out << '[';
    const char* separator = "";
    for (std::size_t bit = 0; bit < dimension.labels.size(); ++bit) {
      if ((value >> bit & 1) == 0) continue;
      out << separator << quoted(dimension.labels[bit]);
      separator = ",";
    }
    out << ']';
  } else {
    out << value;
  }
}

void print_parameters(std::ostream& out, const Parameters& parameters) {
  const char* separator = "";
  for (const auto& [name, parameter] : parameters) {
    out << separator << quoted(name) << ':';
    separator = ",";
    if (const auto* text = std::get_if<std::string>(&parameter.value()))
      out << quoted(*text);
    else if (const auto* truth = std::get_if<bool>(&parameter.value()))
      out << (*truth ? "true" : "false");
    else
      std::visit(
          [&](const auto& number) {
            if constexpr (std::is_arithmetic_v<std::decay_t<decltype(number)>>) out << number;
          },
          parameter.value());
  }
}

// Uses the same estimator as the selector, so that a table contains what a run would have learned. The
// estimator takes logarithms, so a latency below the clock's resolution counts as one nanosecond.
table::Statistics record_of(const std::vector<double>& latency_us) {
  constexpr double least_us = 1e-3;
  KeyStatistics statistics;
  statistics.candidates.resize(1);
  for (const double us : latency_us) statistics.add(0, std::max(us, least_us) * 1e3);
  const VariantStatistics& all = statistics.candidates[0];
  return {all.total_count, all.mean_ns, all.variance_ns(), std::exp(all.location), 0};
}

// Returns whether the variant is dropped after this trial. A throttled trial is ignored and does not drop it.
bool drop_failed(MeasuredVariant& variant, const Trial& trial) {
  if (trial.status == TrialStatus::ok || trial.status == TrialStatus::throttled) return false;
  variant.status = trial.status;
  variant.detail = trial.detail;
  variant.latency_us.clear();
  return true;
}

}  // namespace

Measurement measure(Target& target, const kernels::Shape& shape, const MeasureOptions& options) {
  using Clock = std::chrono::steady_clock;
  constexpr int rounds_min = 10;
  constexpr int patience = 3;  // attempts for each round that must count
  Measurement result{target.name(), target.dimensions(), shape};
  const std::unique_ptr<Bench> bench = target.open(shape);
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < bench->candidates().size(); ++c) {
    const Candidate& candidate = bench->candidates()[c];
    MeasuredVariant& variant =
        result.variants.emplace_back(MeasuredVariant{candidate.name, candidate.parameters});
    if (drop_failed(variant, bench->check(c))) continue;
    order.push_back(c);
  }
  std::mt19937_64 random(options.seed);
  const auto run = [&](std::string_view phase, int index, bool counts) {
    std::shuffle(order.begin(), order.end(), random);
    const std::vector<Trial> trials = bench->round({.phase = phase, .index = index, .order = order});
    const bool throttled = std::any_of(trials.begin(), trials.end(), [](const Trial& trial) {
      return trial.status == TrialStatus::throttled;
    });
    std::vector<std::size_t> failed;
    for (std::size_t i = 0; i < order.size() && i < trials.size(); ++i) {
      MeasuredVariant& variant = result.variants[order[i]];
      if (drop_failed(variant, trials[i]))
        failed.push_back(order[i]);
      else if (counts && !throttled)
        variant.latency_us.push_back(trials[i].latency_us);
    }
    std::erase_if(order,
                  [&](std::size_t c) { return std::find(failed.begin(), failed.end(), c) != failed.end(); });
    if (counts && throttled) ++result.throttled_rounds;
    return !throttled;
  };
  const auto begin = Clock::now();
  for (int round = 0; round < options.warm_up && !order.empty(); ++round) run("warm_up", round, false);
  int counted = 0;
  for (int round = 0; counted < options.rounds && round < patience * options.rounds; ++round) {
    const bool enough = counted >= rounds_min || round >= patience * rounds_min;
    if (order.empty() ||
        (enough && std::chrono::duration<double>(Clock::now() - begin).count() > options.seconds_max))
      break;
    if (run("record", round, true)) ++counted;
  }
  return result;
}

void write_trace(std::ostream& out, const Measurement& measurement) {
  for (const MeasuredVariant& variant : measurement.variants) {
    if (variant.latency_us.empty()) continue;
    std::ostringstream line;
    line.precision(9);
    line << "{\"op\":" << quoted(measurement.operation) << ",\"key\":{";
    for (std::size_t i = 0; i < measurement.dimensions.size(); ++i) {
      line << (i == 0 ? "" : ",") << quoted(measurement.dimensions[i].name) << ':';
      print_value(line, measurement.dimensions[i], measurement.shape[i]);
    }
    line << "},\"variant\":" << quoted(variant.name) << ',';
    if (!variant.parameters.empty()) {
      line << "\"parameters\":{";
      print_parameters(line, variant.parameters);
      line << "},";
    }
    line << "\"latency_us\":[";
    for (std::size_t i = 0; i < variant.latency_us.size(); ++i)
      line << (i == 0 ? "" : ",") << std::round(variant.latency_us[i] * 1e3) / 1e3;
    out << line.str() << "]}\n";
  }
}

void add_to_table(table::Table& table, const Measurement& measurement, std::int64_t time) {
  table::OperationTable single{.name = measurement.operation,
                               .dimensions = dimensions_of(measurement.dimensions)};
  table::Entry entry{.key = key_of(measurement.shape), .origin = table::Origin::measured, .time = time};
  double best = 0.0;
  for (const MeasuredVariant& variant : measurement.variants) {
    if (variant.latency_us.empty()) continue;
    single.variants[variant.name] = variant.parameters;
    const table::Statistics record = record_of(variant.latency_us);
    entry.variants[variant.name] = {record, {}};
    if (entry.incumbent.empty() || record.location_ns < best) {
      entry.incumbent = variant.name;
      best = record.location_ns;
    }
  }
  if (entry.incumbent.empty()) return;
  single.entries.emplace(entry.key, std::move(entry));
  const auto [at, is_new] = table.operations.try_emplace(measurement.operation, single);
  if (!is_new) table::merge(at->second, single);
}

}  // namespace adaptive::tuning
