#include "replay/replay.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <adaptive/error.hpp>
#include <adaptive/random.hpp>

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
  Outcome mean = keys.front();
  const double share = 1.0 / static_cast<double>(keys.size());
  for (double& x : mean.overhead) x = 0.0;
  mean.overhead_realized = mean.timed_share = 0.0;
  mean.promotions = mean.wrong_promotions = 0;
  for (const Outcome& key : keys) {
    for (std::size_t i = 0; i < mean.overhead.size(); ++i) mean.overhead[i] += share * key.overhead[i];
    mean.overhead_realized += share * key.overhead_realized;
    mean.timed_share += share * key.timed_share;
    mean.promotions += key.promotions;
    mean.wrong_promotions += key.wrong_promotions;
  }
  return mean;
}

}  // namespace

ReplayResult replay(const std::vector<table::TraceKey>& keys, const ReplayOptions& options) {
  if (keys.empty()) throw Error(ErrorCode::invalid_argument, "there is no key to replay", "");
  const std::size_t checkpoints = options.run.checkpoints.size();
  ReplayResult result{Summary(checkpoints), 0.0, {}, {}};
  std::vector<Recorded> environments;
  for (const table::TraceKey& key : keys) {
    environments.emplace_back(key, options.order);
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
  for (std::size_t run = 0; run < options.runs; ++run) {
    std::vector<Outcome> outcomes;
    for (std::size_t k = 0; k < keys.size(); ++k) {
      RunOptions of_key = options.run;
      if (known) of_key.known = &(*known)[k];
      outcomes.push_back(replay::run(environments[k], of_key, seed_of(options.seed, k, run)));
      result.keys[k].summary.add(outcomes.back());
    }
    result.total.add(average(outcomes));
  }
  return result;
}

ReplayResult replay(const Scenario& scenario, ReplayOptions options) {
  options.run.delivery = scenario.delivery;
  options.run.change_call = scenario.change_call;
  options.run.seeds = scenario.seeds;
  Synthetic environment(scenario.environment);
  Summary summary(options.run.checkpoints.size());
  const double floor = first_look(environment);
  for (std::size_t run = 0; run < options.runs; ++run)
    summary.add(replay::run(environment, options.run, seed_of(options.seed, 0, run)));
  return {summary, floor, {}, {{scenario.name, environment.size(), summary, floor}}};
}

std::vector<std::size_t> checkpoints(std::size_t calls) {
  std::vector<std::size_t> result;
  for (const std::size_t at : {std::size_t{100}, std::size_t{1'000}, std::size_t{10'000}})
    if (at < calls) result.push_back(at);
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
