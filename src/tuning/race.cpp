#include "tuning/race.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <tuple>
#include <variant>

#include <adaptive/random.hpp>
#include <adaptive/statistics.hpp>
#include "base/statistics/quantiles.hpp"

namespace adaptive::inline v1::tuning {
namespace {

// A phase in which samples are throttled ends after this many times its number of rounds.
constexpr int patience = 3;
// Number of winners whose confirmation is attempted before the default is kept.
constexpr int confirmed_max = 3;
// The rounds end when the expected loss is below this share of a tie. In simulations of random devices, the
// winner of the race is then within a tie of the best in 98.9 % of cases; the winner of an exhaustive search
// in 99.1 %.
constexpr double cost_share = 0.15;

double weight_of(const Candidate& candidate, RaceObjective objective) {
  if (objective == RaceObjective::latency) return 1.0;
  const auto threads = candidate.parameters.find("threads");
  if (threads == candidate.parameters.end()) return 1.0;
  const auto* count = std::get_if<std::int64_t>(&threads->second.value());
  return count != nullptr && *count > 0 ? static_cast<double>(*count) : 1.0;
}

class Race {
 public:
  Race(Bench& bench, const RaceOptions& options, const RaceObserver& observer)
      : bench_(bench), options_(options), observer_(observer), random_(options.seed) {
    const std::vector<Candidate>& candidates = bench.candidates();
    const std::size_t count =
        options.default_only ? std::min<std::size_t>(1, candidates.size()) : candidates.size();
    for (std::size_t c = 0; c < count; ++c)
      result_.contestants.push_back(
          {.candidate = candidates[c], .weight = weight_of(candidates[c], options.objective)});
  }

  RaceResult run() {
    check_all();
    if (!runners_.empty()) {
      phase_ = "warm_up";
      reset_statistics();
      for (int r = 0; r < options_.warm_up; ++r) sample(r, runners_);
      run_rounds();
      report_race();
      confirm();
    }
    result_.stopped = stopped_;
    if (stopped_) result_.best.reset();
    return std::move(result_);
  }

 private:
  bool go_on(int round) {
    if (stopped_) return false;
    RaceProgress progress{.phase = phase_, .round = round, .in_race = runners_.size()};
    if (const auto leader = fastest(runners_)) {
      progress.leader = result_.contestants[*leader].candidate.name;
      progress.leader_us =
          std::exp(statistics_[*leader].location) / 1e3 / result_.contestants[*leader].weight;
    }
    stopped_ = observer_ && !observer_(progress);
    return !stopped_;
  }

  void check_all() {
    phase_ = "check";
    for (std::size_t c = 0; c < result_.contestants.size() && go_on(static_cast<int>(c)); ++c) {
      const Trial trial = bench_.check(c);
      count(trial);
      result_.contestants[c].prepare_us = trial.prepare_us;
      if (trial.status == TrialStatus::ok || trial.status == TrialStatus::throttled)
        runners_.push_back(c);
      else
        fail(c, trial);
    }
  }

  void count(const Trial& trial) {
    ++result_.trials;
    if (trial.status == TrialStatus::throttled) ++result_.throttled;
    result_.kernel_us += trial.latency_us * trial.launches;
  }

  void fail(std::size_t c, const Trial& trial) {
    Contestant& contestant = result_.contestants[c];
    contestant.outcome = Outcome::failed;
    contestant.status = trial.status;
    contestant.detail = trial.detail;
    std::erase(runners_, c);
  }

  void reset_statistics() {
    statistics_ = KeyStatistics();
    statistics_.candidates.resize(result_.contestants.size());
    samples_ns_.assign(result_.contestants.size(), {});
  }

  /// Runs one round of `who`. Returns whether any sample counted.
  bool sample(int index, std::vector<std::size_t> who) {
    if (who.empty() || !go_on(index)) return false;
    for (std::size_t i = who.size(); i > 1; --i)
      std::swap(who[i - 1], who[random_.below(static_cast<std::uint32_t>(i))]);
    const Round round{.phase = phase_, .index = index, .order = who};
    const std::vector<Trial> trials = bench_.round(round);
    bool counted = false;
    for (std::size_t i = 0; i < who.size() && i < trials.size(); ++i) {
      count(trials[i]);
      if (trials[i].status == TrialStatus::throttled) continue;
      if (trials[i].status != TrialStatus::ok) {
        fail(who[i], trials[i]);
        continue;
      }
      counted = true;
      const double ns = std::max(trials[i].latency_us, 1e-3) * 1e3;
      statistics_.add(static_cast<std::uint32_t>(who[i]), ns * result_.contestants[who[i]].weight);
      samples_ns_[who[i]].push_back(ns);
    }
    return counted;
  }

  std::optional<std::size_t> fastest(const std::vector<std::size_t>& among) const {
    std::optional<std::size_t> best;
    for (const std::size_t c : among) {
      if (c >= statistics_.size() || statistics_[c].count == 0) continue;
      if (!best || statistics_[c].location < statistics_[*best].location) best = c;
    }
    return best;
  }

  /// Whether `c` is slower than `than` by more than `margin`, which may be negative, with confidence. The
  /// errors of the two locations are independent.
  bool surely_behind(std::size_t c, std::size_t than, double margin) const {
    const double radius =
        std::hypot(statistics_.radius(c, options_.error), statistics_.radius(than, options_.error));
    return statistics_[c].count >= static_cast<std::uint64_t>(options_.rounds_min) &&
           statistics_[c].location - statistics_[than].location > margin + radius;
  }

  bool surely_slower(std::size_t c, std::size_t than) const { return surely_behind(c, than, 0.0); }

  /// Whether the candidate is surely not faster than the leader by more than a tie.
  bool cannot_gain(std::size_t c, std::size_t leader) const {
    return surely_behind(c, leader, -std::log1p(options_.tie));
  }

  /// The share of latency that is lost, on average, if the leader is taken now. Sums over the other
  /// candidates the part of the distribution in which the candidate is faster; each difference is normal
  /// around the observed one.
  double opportunity_cost(std::size_t leader) const {
    double cost = 0.0;
    for (const std::size_t c : runners_) {
      if (c == leader) continue;
      if (statistics_[c].count == 0) return std::numeric_limits<double>::infinity();
      const double deviation =
          statistics_.deviation() * std::sqrt(1.0 / static_cast<double>(statistics_[c].count) +
                                              1.0 / static_cast<double>(statistics_[leader].count));
      const double z = (statistics_[c].location - statistics_[leader].location) / deviation;
      const double density = std::exp(-0.5 * z * z) / std::sqrt(2.0 * std::numbers::pi);
      cost += deviation * (density - 0.5 * z * std::erfc(z / std::numbers::sqrt2));
    }
    return cost;
  }

  void run_rounds() {
    phase_ = "race";
    reset_statistics();
    int counted = 0;
    for (int r = 0; counted < options_.rounds_max && r < patience * options_.rounds_max; ++r) {
      if (sample(r, runners_)) ++counted;
      if (stopped_ || runners_.empty()) return;
      if (options_.exhaustive || options_.default_only) continue;
      const auto leader = fastest(runners_);
      if (!leader) continue;
      std::erase_if(runners_, [&](std::size_t c) { return c != *leader && cannot_gain(c, *leader); });
      if (counted >= options_.rounds_min && runners_.size() == 1) return;
      if (counted > options_.rounds_min && opportunity_cost(*leader) < cost_share * options_.tie) return;
    }
  }

  void report(std::size_t c) {
    const VariantStatistics& statistics = statistics_[c];
    if (statistics.count == 0) return;
    Contestant& contestant = result_.contestants[c];
    contestant.count = statistics.total_count;
    const double ns_per_us = 1e3 * contestant.weight;
    contestant.mean_us = statistics.mean_ns / ns_per_us;
    contestant.deviation_us = std::sqrt(statistics.variance_ns()) / ns_per_us;
    contestant.location_us = std::exp(statistics.location) / ns_per_us;
    contestant.recent = core::quantiles(samples_ns_[c]);
    contestant.radius = statistics_.radius(c, options_.error);
  }

  void report_race() {
    for (std::size_t c = 0; c < result_.contestants.size(); ++c) report(c);
    const auto leader = fastest(runners_);
    if (!leader) return;
    for (std::size_t c = 0; c < result_.contestants.size(); ++c) {
      const bool left = std::find(runners_.begin(), runners_.end(), c) == runners_.end();
      if (statistics_[c].count > 0) raced_.push_back({left, statistics_[c].location, c});
    }
    std::sort(raced_.begin(), raced_.end());
    result_.best = first_of_race();
    for (std::size_t c = 0; c < result_.contestants.size(); ++c) {
      Contestant& contestant = result_.contestants[c];
      if (contestant.status != TrialStatus::ok || contestant.count == 0) continue;
      contestant.outcome = surely_slower(c, *leader) ? Outcome::slower : Outcome::tied;
    }
    result_.contestants[*result_.best].outcome = Outcome::winner;
  }

  /// The first candidate of the race that works and has not been tried. The default is preferred if it is
  /// within a tie, because it runs without a table.
  std::optional<std::size_t> first_of_race() const {
    const Raced* first = nullptr;
    for (const Raced& raced : raced_) {
      if (result_.contestants[raced.contestant].status != TrialStatus::ok) continue;
      if (first == nullptr) first = &raced;
      if (raced.contestant == 0 && raced.location - first->location <= std::log1p(options_.tie)) return 0;
    }
    return first == nullptr ? std::nullopt : std::optional(first->contestant);
  }

  void confirm() {
    for (int tried = 0; tried < confirmed_max && result_.best && !stopped_; ++tried) {
      const std::size_t winner = *result_.best;
      sample_apart(winner);
      if (stopped_ || is_confirmed(winner)) return;
      Contestant& chosen = result_.contestants[winner];
      if (chosen.status == TrialStatus::ok) chosen.outcome = Outcome::tied;
      std::erase_if(raced_, [&](const Raced& raced) { return raced.contestant == winner; });
      result_.best = tried + 1 < confirmed_max ? first_of_race() : std::nullopt;
      if (!result_.best && result_.contestants[0].status == TrialStatus::ok &&
          result_.contestants[0].count > 0)
        result_.best = 0;
      if (result_.best) result_.contestants[*result_.best].outcome = Outcome::winner;
      if (result_.best == 0u) return;
    }
  }

  /// Samples the winner, together with the default until the default is surely slower.
  void sample_apart(std::size_t winner) {
    const bool has_rival = winner != 0 && result_.contestants[0].status == TrialStatus::ok;
    phase_ = "confirm";
    reset_statistics();
    runners_ = {winner};
    if (has_rival) runners_.insert(runners_.begin(), 0);
    int counted = 0;
    for (int r = 0; counted < options_.confirm_rounds && r < patience * options_.confirm_rounds; ++r) {
      if (sample(confirm_round_++, runners_)) ++counted;
      if (stopped_ || runners_.empty()) break;
      if (runners_.size() == 2 && surely_slower(0, winner)) runners_.erase(runners_.begin());
    }
    report(winner);
    if (has_rival) report(0);
  }

  /// Whether the winner did not fail and the default was not faster.
  bool is_confirmed(std::size_t winner) const {
    const bool slower = winner != 0 && statistics_[0].count > 0 && statistics_[winner].count > 0 &&
                        statistics_[winner].location >= statistics_[0].location;
    return result_.contestants[winner].status == TrialStatus::ok && !slower;
  }

  struct Raced {
    bool left = false;  // surely slower before the race ended
    double location = 0.0;
    std::size_t contestant = 0;
    bool operator<(const Raced& other) const {
      return std::tie(left, location, contestant) < std::tie(other.left, other.location, other.contestant);
    }
  };

  Bench& bench_;
  const RaceOptions& options_;
  const RaceObserver& observer_;
  Random random_;
  RaceResult result_;
  std::vector<std::size_t> runners_;             // still in the race
  KeyStatistics statistics_;                     // of the current phase
  std::vector<std::vector<double>> samples_ns_;  // of the current phase, by contestant
  std::vector<Raced> raced_;                     // candidates that may win, in the order of the race
  int confirm_round_ = 0;
  std::string_view phase_;
  bool stopped_ = false;
};

double cost_us(const Contestant& contestant) {
  return contestant.location_us * contestant.weight;
}

}  // namespace

std::string_view to_string(Outcome outcome) noexcept {
  switch (outcome) {
    case Outcome::winner:
      return "winner";
    case Outcome::tied:
      return "tied";
    case Outcome::slower:
      return "slower";
    case Outcome::failed:
      return "failed";
  }
  return "failed";
}

std::string_view to_string(RaceObjective objective) noexcept {
  return objective == RaceObjective::throughput ? "throughput" : "latency";
}

double RaceResult::gain() const noexcept {
  if (!best || *best == 0 || contestants.front().location_us <= 0.0) return 0.0;
  return 1.0 - cost_us(contestants[*best]) / cost_us(contestants.front());
}

double RaceResult::gain_radius() const noexcept {
  if (!best || *best == 0 || contestants.front().location_us <= 0.0) return 0.0;
  const double ratio = cost_us(contestants[*best]) / cost_us(contestants.front());
  return ratio * (contestants[*best].radius + contestants.front().radius);
}

bool RaceResult::is_tie() const noexcept {
  return std::any_of(contestants.begin(), contestants.end(),
                     [](const Contestant& c) { return c.outcome == Outcome::tied; });
}

RaceResult race(Bench& bench, const RaceOptions& options, const RaceObserver& observer) {
  return Race(bench, options, observer).run();
}

}  // namespace adaptive::tuning
