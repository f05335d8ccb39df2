#include "tuning/measurement.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <ostream>
#include <random>
#include <sstream>
#include <type_traits>
#include <variant>

#include <adaptive/error.hpp>
#include <adaptive/statistics.hpp>

#include "table/merge.hpp"
#include "tuning/cuda_operation.hpp"

namespace adaptive::tuning {
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

// The same estimator as the selector's, so that a table says what a run would have learned.
table::Statistics record_of(const std::vector<double>& latency_us) {
  KeyStatistics statistics;
  statistics.candidates.resize(1);
  for (const double us : latency_us) statistics.add(0, us * 1e3);
  const VariantStatistics& all = statistics.candidates[0];
  return {all.total_count, all.mean_ns, all.variance_ns(), std::exp(all.location), 0};
}

}  // namespace

Measurement measure(Target& target, const kernels::Shape& shape, const MeasureOptions& options) {
  using Clock = std::chrono::steady_clock;
  constexpr int rounds_min = 10;
  Measurement result{target.name(), target.dimensions(), shape};
  const std::unique_ptr<Bench> bench = target.open(shape);
  std::vector<std::size_t> order;
  for (std::size_t c = 0; c < bench->candidates().size(); ++c) {
    const Candidate& candidate = bench->candidates()[c];
    const bool wrong = bench->check(c).status != TrialStatus::ok;
    if (!wrong) order.push_back(c);
    result.variants.push_back({.name = candidate.name, .parameters = candidate.parameters, .wrong = wrong});
  }
  std::mt19937_64 random(options.seed);
  const auto begin = Clock::now();
  for (int round = -options.warm_up; round < options.rounds; ++round) {
    if (round >= rounds_min &&
        std::chrono::duration<double>(Clock::now() - begin).count() > options.seconds_max)
      break;
    std::shuffle(order.begin(), order.end(), random);
    const std::vector<Trial> trials = bench->round({.phase = "record", .index = round, .order = order});
    for (std::size_t i = 0; round >= 0 && i < order.size(); ++i)
      result.variants[order[i]].latency_us.push_back(trials[i].latency_us);
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
  table::OperationTable single{.name = measurement.operation};
  for (const kernels::Dimension& dimension : measurement.dimensions)
    single.dimensions.push_back(dimension_of(dimension));
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
