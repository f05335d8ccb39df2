#include "replay/run_tables.hpp"

#include <cmath>
#include <utility>
#include <vector>

#include <adaptive/policy.hpp>
#include <adaptive/random.hpp>
#include "base/statistics/normal.hpp"
#include "replay/environments/noise.hpp"
#include "replay/temporary_folder.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::replay {
namespace {

constexpr std::int64_t saved_at = 1'700'000'000;  // any time: seconds since 1970

void measure(Operation& operation, const RunKey& key, const SeedTable& seeds, std::uint64_t seed) {
  constexpr int samples = 100;
  Environment& environment = *key.environment;
  Random random(seed);
  std::vector<std::pair<std::uint32_t, Latency>> said;
  for (std::uint32_t i = 0; i < environment.size(); ++i) {
    const double ns = environment.mean(i) * seeds.factor * std::exp(seeds.error * core::normal(random));
    const auto variant = operation.find_variant(environment.variant_name(i));
    if (variant) said.emplace_back(*variant, Latency(ns));
  }
  for (int sample = 0; sample < samples; ++sample)
    for (const auto& [variant, latency] : said) operation.record(key.key, variant, latency);
}

}  // namespace

SelectorOptions quiet_selector(std::string device, std::uint64_t seed) {
  SelectorOptions options;
  options.device = {.device = std::move(device)};
  options.seed = seed;
  options.use_environment = false;
  options.background = false;  // the run says when fits are made
  options.clock = [] { return saved_at; };
  return options;
}

void write_seed_table(const Program& program, const SeedTable& seeds, std::uint64_t seed,
                      const std::filesystem::path& path) {
  SelectorOptions options = quiet_selector(seeds.same_device ? simulated_device : "elsewhere", 0);
  options.policy = make_policy("fixed");
  Selector tuner(options);
  std::vector<Operation*> operations;
  for (const OperationSpec& spec : program.operations) operations.push_back(&tuner.define(spec));
  constexpr std::uint64_t stream = 0x7A3D'5C19U;
  for (std::size_t k = 0; k < program.keys.size(); ++k)
    measure(*operations[program.keys[k].operation], program.keys[k], seeds, seed_of_draw(seed ^ stream, k));
  tuner.save(path);
}

std::map<std::string, std::map<Key, std::string>> kept_incumbents(const Selector& selector) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "table.json";
  selector.save(path);
  std::map<std::string, std::map<Key, std::string>> result;
  for (const auto& [name, operation] : table::read(path).table.operations)
    for (const auto& [key, entry] : operation.entries)
      if (!entry.incumbent.empty()) result[name].emplace(key, entry.incumbent);
  return result;
}

}  // namespace adaptive::replay
