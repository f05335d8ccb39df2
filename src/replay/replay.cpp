#include "replay/replay.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

#include <adaptive/error.hpp>
#include <adaptive/random.hpp>
#include "replay/trace_operation.hpp"

namespace adaptive::inline v1::replay {
namespace {

std::uint64_t seed_of(std::uint64_t seed, std::uint64_t stream, std::uint64_t run) {
  Random random(seed ^ Random(stream * 0x10000'0001U + run)());
  return random();
}

double first_look(const Environment& environment) {
  double gaps = 0.0;
  for (std::uint32_t i = 0; i < environment.size(); ++i) gaps += environment.gap(i);
  return gaps;
}

// Of one run, all keys with equal weights: what is added up run by run then has the confidence of the
// average.
Outcome average(const std::vector<Outcome>& keys) {
  Outcome mean;
  mean.overhead.assign(keys.front().overhead.size(), 0.0);
  const double share = 1.0 / static_cast<double>(keys.size());
  for (const Outcome& key : keys) {
    for (std::size_t i = 0; i < mean.overhead.size(); ++i) mean.overhead[i] += share * key.overhead[i];
    mean.overhead_end += share * key.overhead_end;
    mean.overhead_realized += share * key.overhead_realized;
    mean.timed_share += share * key.timed_share;
    mean.gap_incumbent += share * key.gap_incumbent;
    mean.gap_leader += share * key.gap_leader;
    mean.promoted += share * key.promoted;
    mean.confirmed += share * key.confirmed;
    mean.kept_gap += share * key.kept_gap;
    mean.last_half += key.last_half;
    mean.last_quarter += key.last_quarter;
    mean.late_timed += key.late_timed;
    mean.promotions += key.promotions;
    mean.wrong_promotions += key.wrong_promotions;
  }
  return mean;
}

Program together(const std::vector<table::TraceKey>& keys, std::vector<Recorded>& environments) {
  TraceOperations operations = operations_of(keys);
  Program program{std::move(operations.specs), {}, {}};
  for (std::size_t k = 0; k < keys.size(); ++k)
    program.keys.push_back({&environments[k], operations.places[k].operation, operations.places[k].key, 0});
  return program;
}

Program alone(Environment& environment, const KnownOperation* known, std::uint64_t seed) {
  if (known == nullptr) return program_of(environment, seed);
  return {{known->spec}, {{&environment, 0, known->key, seed}}, known->table};
}

std::vector<Outcome> run_alone(std::vector<Recorded>& environments, const KnownOperations* known,
                               const ReplayOptions& options, std::size_t run) {
  std::vector<Outcome> outcomes;
  for (std::size_t k = 0; k < environments.size(); ++k) {
    const std::uint64_t seed = seed_of(options.seed, k, run);
    const Program program = alone(environments[k], known == nullptr ? nullptr : &(*known)[k], seed);
    outcomes.push_back(std::move(replay::run(program, options.run, seed).front()));
  }
  return outcomes;
}

}  // namespace

ReplayResult replay(const std::vector<table::TraceKey>& keys, const ReplayOptions& options) {
  if (keys.empty()) throw Error(ErrorCode::invalid_argument, "there is no key to replay", "");
  const std::size_t checkpoints = options.run.checkpoints.size();
  ReplayResult result{Summary(checkpoints)};
  std::vector<Recorded> environments;
  for (const table::TraceKey& key : keys) {
    environments.emplace_back(key, options.order, options.truth);
    result.keys.push_back(
        {key.name(), key.variants.size(), Summary(checkpoints), first_look(environments.back())});
    result.first_look += result.keys.back().first_look / static_cast<double>(keys.size());
  }
  std::optional<KnownOperations> known;
  if (options.predict) {
    known.emplace(keys, options.leave_out, options.prediction_error);
    result.prediction.emplace();
    for (std::size_t k = 0; k < keys.size(); ++k) result.prediction->add((*known)[k], keys[k]);
  }
  const bool apart = options.alone || options.predict;
  Program program = apart ? Program{} : together(keys, environments);
  for (std::size_t run = 0; run < options.runs; ++run) {
    for (std::size_t k = 0; k < program.keys.size(); ++k)
      program.keys[k].seed = seed_of(options.seed, k, run);
    const std::vector<Outcome> outcomes =
        apart ? run_alone(environments, known ? &*known : nullptr, options, run)
              : replay::run(program, options.run, seed_of(options.seed, keys.size(), run));
    for (std::size_t k = 0; k < keys.size(); ++k) result.keys[k].summary.add(outcomes[k]);
    result.total.add(average(outcomes));
  }
  for (const KeyResult& key : result.keys)
    result.kept_worst = std::max(result.kept_worst, key.summary.kept_gap.mean());
  return result;
}

ReplayResult replay(const Scenario& scenario, ReplayOptions options) {
  options.run.delivery = scenario.delivery;
  options.run.change_call = scenario.change_call;
  options.run.seeds = scenario.seeds;
  const std::unique_ptr<Environment> environment = environment_of(scenario);
  Summary summary(options.run.checkpoints.size());
  const double floor = first_look(*environment);
  for (std::size_t run = 0; run < options.runs; ++run)
    summary.add(replay::run(*environment, options.run, seed_of(options.seed, 0, run)));
  return {
      summary, summary.kept_gap.mean(), floor, {}, {{scenario.name, environment->size(), summary, floor}}};
}

std::vector<std::size_t> checkpoints(std::size_t calls) {
  std::vector<std::size_t> result;
  constexpr std::size_t last_power = 1'000'000;
  for (std::size_t at = 100; at < calls && at <= last_power; at *= 10) result.push_back(at);
  result.push_back(calls);
  return result;
}

std::vector<std::size_t> dense_checkpoints(std::size_t calls) {
  constexpr double per_decade = 12.0;
  std::vector<std::size_t> result = checkpoints(calls);
  for (double step = 0.0;; step += 1.0) {
    const auto at = static_cast<std::size_t>(std::lround(std::pow(10.0, step / per_decade)));
    if (at >= calls) break;
    result.push_back(at);
  }
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  return result;
}

}  // namespace adaptive::replay
