#include "replay/known_operation.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <set>
#include <unordered_map>
#include <utility>

#include <adaptive/error.hpp>
#include <adaptive/random.hpp>
#include <adaptive/selector.hpp>
#include "base/statistics/normal.hpp"
#include "replay/runner.hpp"
#include "replay/trace_operation.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::replay {
namespace {

constexpr double within_90_percent = 1.645;  // of a normal, in deviations

table::VariantRecord record_of(std::vector<double> latency_ns) {
  table::VariantRecord record;
  record.count = latency_ns.size();
  const double n = static_cast<double>(latency_ns.size());
  record.mean_ns = std::accumulate(latency_ns.begin(), latency_ns.end(), 0.0) / n;
  for (const double x : latency_ns) record.variance_ns2 += (x - record.mean_ns) * (x - record.mean_ns) / n;
  const auto middle = latency_ns.begin() + static_cast<std::ptrdiff_t>(latency_ns.size() / 2);
  std::nth_element(latency_ns.begin(), middle, latency_ns.end());
  record.location_ns = *middle;
  return record;
}

// A factor by which a variant is wrong, the same at all keys that are told: they are of one voice.
class WrongBy {
 public:
  WrongBy(double deviation, std::uint64_t seed) : deviation_(deviation), seed_(seed) {}
  double operator()(const std::string& variant) const {
    if (deviation_ == 0.0) return 1.0;
    std::uint64_t hash = seed_;
    for (const char c : variant) hash = Random(hash ^ static_cast<unsigned char>(c))();
    Random random(hash);
    return std::exp(deviation_ * core::normal(random));
  }

 private:
  double deviation_;
  std::uint64_t seed_;
};

table::Entry entry_of(const table::TraceKey& key, const std::vector<Dimension>& dimensions,
                      const WrongBy& wrong_by) {
  table::Entry entry;
  entry.key = key_of(key, dimensions);
  double least = 0.0;
  for (std::size_t i = 0; i < key.variants.size(); ++i) {
    table::VariantRecord record = record_of(key.latency_ns[i]);
    const double wrong = wrong_by(key.variants[i]);
    record.mean_ns *= wrong;
    record.location_ns *= wrong;
    record.variance_ns2 *= wrong * wrong;
    if (entry.incumbent.empty() || record.location_ns < least) {
      entry.incumbent = key.variants[i];
      least = record.location_ns;
    }
    entry.variants.emplace(key.variants[i], record);
  }
  return entry;
}

bool left_out(const table::TraceKey& other, const table::TraceKey& key,
              const std::vector<std::string>& dimensions) {
  if (&other == &key || other.key == key.key) return true;
  if (dimensions.empty()) return false;
  return std::all_of(dimensions.begin(), dimensions.end(), [&](const std::string& name) {
    if (!key.key.contains(name))
      throw Error(ErrorCode::not_found, "there is no dimension \"" + name + "\" to leave out", key.name());
    return other.key.at(name) == key.key.at(name);
  });
}

OperationSpec spec_with_others(const table::TraceKey& key, const std::vector<const table::TraceKey*>& others,
                               std::vector<Dimension> dimensions) {
  OperationSpec spec{.name = key.operation, .dimensions = std::move(dimensions)};
  std::set<std::string> named;
  const auto add = [&](const table::TraceKey& from, bool supported) {
    for (std::size_t i = 0; i < from.variants.size(); ++i) {
      if (!named.insert(from.variants[i]).second) continue;
      Variant variant{.name = from.variants[i], .parameters = from.parameters_of(i)};
      if (!supported) variant.supports = [](const Key&) { return false; };
      spec.variants.push_back(std::move(variant));
    }
  };
  add(key, true);
  for (const table::TraceKey* other : others) add(*other, false);
  return spec;
}

}  // namespace

KnownOperations::KnownOperations(const std::vector<table::TraceKey>& keys,
                                 const std::vector<std::string>& leave_out, double error) {
  for (const table::TraceKey& key : keys) {
    std::vector<const table::TraceKey*> all;
    std::vector<const table::TraceKey*> others;
    for (const table::TraceKey& other : keys) {
      if (!same_operation(other, key)) continue;
      all.push_back(&other);
      if (!left_out(other, key, leave_out)) others.push_back(&other);
    }
    const std::vector<Dimension> dimensions = dimensions_of(all);
    table::OperationTable known;
    known.name = key.operation;
    known.dimensions = dimensions;
    for (const table::TraceKey* other : others) {
      table::Entry entry = entry_of(*other, dimensions, {error, operations_.size()});
      for (const std::string& name : other->variants) known.variants.emplace(name, Parameters{});
      known.entries.emplace(entry.key, std::move(entry));
    }
    table::Table table;
    table.tool = "adaptive replay";
    table.fingerprint.device = simulated_device;
    table.operations.emplace(known.name, std::move(known));
    const std::filesystem::path path = folder_.path() / (std::to_string(operations_.size()) + ".json");
    table::write(table, path);
    operations_.push_back({spec_with_others(key, others, dimensions), key_of(key, dimensions), path});
  }
}

void PredictionQuality::add(const KnownOperation& known, const table::TraceKey& truth) {
  SelectorOptions options;
  options.device = {.device = simulated_device};
  options.use_environment = false;
  Selector selector(options);
  selector.load(known.table);
  const Explanation explanation = selector.define(known.spec).explain(known.key);
  ++keys;
  if (explanation.match.kind != MatchKind::predicted) return;
  ++predicted;
  std::unordered_map<std::string, double> locations;
  double least_mean = 0.0;
  std::unordered_map<std::string, double> means;
  for (std::size_t i = 0; i < truth.variants.size(); ++i) {
    const table::VariantRecord record = record_of(truth.latency_ns[i]);
    locations[truth.variants[i]] = record.location_ns;
    means[truth.variants[i]] = record.mean_ns;
    least_mean = i == 0 ? record.mean_ns : std::min(least_mean, record.mean_ns);
  }
  start_gap += means.at(explanation.incumbent) / least_mean - 1.0;

  std::vector<double> errors;
  std::vector<double> deviations;
  for (const Explanation::Candidate& c : explanation.candidates) {
    if (!(c.seed_ns > 0.0)) continue;
    errors.push_back(std::log(c.seed_ns / locations.at(c.name)));
    deviations.push_back(c.seed_deviation);
  }
  std::vector<double> sorted = errors;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2),
                   sorted.end());
  const double common = sorted[sorted.size() / 2];
  for (std::size_t i = 0; i < errors.size(); ++i) {
    const double error = std::abs(errors[i] - common);
    ++variants;
    covered += error <= within_90_percent * deviations[i] ? 1 : 0;
    deviation += deviations[i];
    squares += error * error;
  }
}

}  // namespace adaptive::replay
