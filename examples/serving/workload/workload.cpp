#include "examples/serving/workload/workload.hpp"

#include <chrono>
#include <numeric>

#include <adaptive/error.hpp>

namespace serving {

std::uint64_t KeyRun::launches() const {
  return std::accumulate(totals.begin(), totals.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const VariantTotal& total) { return sum + total.launches; });
}

double KeyRun::time_ns() const {
  return std::accumulate(totals.begin(), totals.end(), 0.0,
                         [](double sum, const VariantTotal& total) { return sum + total.time_ns; });
}

Workload::Workload(adaptive::Selector& selector, std::uint64_t seed) : seed_(seed) {
  for (const kernels::Family* family : kernels::families()) {
    Entry entry{make_operation(*family, padded_dimensions), nullptr};
    entry.operation = &selector.define(entry.family.spec);
    operations_.push_back(std::move(entry));
  }
}

KeyRun& Workload::at(const Launch& launch) {
  const auto [place, added] = keys_.try_emplace({launch.family, launch.shape});
  KeyRun& key = place->second;
  if (!added) return key;
  while (operations_[key.operation].family.family != launch.family) ++key.operation;
  key.shape = launch.shape;
  key.key = key_of(launch.shape);
  key.problem = launch.family->make_problem(launch.shape, seed_);
  key.totals.resize(operations_[key.operation].operation->variant_count());
  // Launches once, untimed, so that the first result of a variant does not include page faults: a server also
  // warms up before it serves.
  if (key.problem->launch(0) != kernels::LaunchStatus::ok)
    throw adaptive::Error(adaptive::ErrorCode::failed, "the default variant fails",
                          kernels::to_string(*launch.family, launch.shape));
  return key;
}

void Workload::note_leaders() {
  for (auto& [place, key] : keys_) {
    const adaptive::Operation& operation = *operations_[key.operation].operation;
    key.leader = operation.find_variant(operation.explain(key.key).leader).value_or(0);
  }
}

std::optional<double> Workload::launch(const KeyRun& key, std::uint32_t variant) const {
  const std::size_t index = entry(key).family.family_variants[variant];
  const auto begin = std::chrono::steady_clock::now();
  const kernels::LaunchStatus status = key.problem->launch(index);
  const std::chrono::duration<double, std::nano> latency = std::chrono::steady_clock::now() - begin;
  if (status != kernels::LaunchStatus::ok) return std::nullopt;
  return latency.count();
}

std::vector<const KeyRun*> Workload::keys() const {
  std::vector<const KeyRun*> keys;
  for (const auto& [place, key] : keys_) keys.push_back(&key);
  return keys;
}

}  // namespace serving
