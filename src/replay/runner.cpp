#include "replay/runner.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <queue>
#include <string>
#include <utility>

#include <adaptive/adaptive.hpp>
#include "files/system_error.hpp"
#include "replay/known_operation.hpp"

namespace adaptive::inline v1::replay {
namespace {

struct Arrival {
  std::size_t call;
  std::uint64_t order;  // of equal calls: the queue itself keeps none
  Decision decision;
  Latency latency;
  bool operator>(const Arrival& other) const noexcept {
    return call != other.call ? call > other.call : order > other.order;
  }
};

OperationSpec spec(const Environment& environment) {
  OperationSpec result{.name = "simulated", .dimensions = {{"size"}}};
  for (std::uint32_t i = 0; i < environment.size(); ++i)
    result.variants.push_back(
        {.name = environment.variant_name(i), .parameters = environment.variant_parameters(i)});
  return result;
}

SelectorOptions selector_options(const RunOptions& options, std::uint64_t seed) {
  SelectorOptions result;
  result.device = {.device = simulated_device};
  result.seed = seed;
  result.policy = options.policy;
  result.learning = options.learning;
  result.use_environment = false;
  result.background = false;  // so that a run repeats: `Run` says when fits are made
  return result;
}

// Writes the table with a selector that knows nothing else, as an offline measurement would, and loads it.
void load_seeds(Selector& selector, const Environment& environment, const SeedTable& seeds,
                std::uint64_t seed) {
  std::string folder = (std::filesystem::temp_directory_path() / "adaptive-seeds-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw Error(table::error_code_of(errno), "cannot be made", folder);
  const std::filesystem::path table = std::filesystem::path(folder) / "table.json";
  {
    SelectorOptions options;
    options.device = {.device = seeds.same_device ? simulated_device : "elsewhere"};
    options.policy = make_policy("fixed");
    options.use_environment = false;
    Selector tuner(options);
    Operation& operation = tuner.define(spec(environment));
    Random random(seed ^ 0x7A3D'5C19U);
    std::vector<double> said;
    for (std::uint32_t i = 0; i < environment.size(); ++i)
      said.push_back(environment.mean(i) * seeds.factor * std::exp(seeds.error * normal(random)));
    constexpr int samples = 100;
    for (int sample = 0; sample < samples; ++sample)
      for (std::uint32_t i = 0; i < environment.size(); ++i) operation.record({1}, i, Latency(said[i]));
    tuner.save(table);
  }
  selector.load(table);
  std::filesystem::remove_all(folder);
}

Operation& define(Selector& selector, Environment& environment, const RunOptions& options,
                  std::uint64_t seed) {
  environment.restart(seed);
  if (options.known != nullptr) {
    selector.load(options.known->table);
    return selector.define(options.known->spec);
  }
  if (options.seeds) load_seeds(selector, environment, *options.seeds, seed);
  return selector.define(spec(environment));
}

class Reaction {
 public:
  // True once the last `window` calls were good enough.
  bool add(bool good, bool timed) noexcept {
    Call& latest = latest_[calls_++ % window];
    good_ += std::size_t{good} - std::size_t{latest.good};
    timed_before_ += latest.timed;
    latest = {good, timed};
    return calls_ >= window && good_ >= needed;
  }
  // Before those.
  std::size_t calls() const noexcept { return calls_ - window; }
  std::size_t timed() const noexcept { return timed_before_; }

 private:
  struct Call {
    bool good = false;
    bool timed = false;
  };
  static constexpr std::size_t window = 20;
  static constexpr std::size_t needed = 18;
  Call latest_[window] = {};
  std::size_t calls_ = 0;
  std::size_t good_ = 0;
  std::size_t timed_before_ = 0;
};

class Run {
 public:
  Run(Environment& environment, const RunOptions& options, std::uint64_t seed)
      : environment_(environment),
        options_(options),
        selector_(selector_options(options, seed)),
        operation_(define(selector_, environment, options, seed)),
        key_(options.known != nullptr ? options.known->key : Key{1}),
        site_(operation_.site(key_)),
        transport_(seed ^ 0x5DEECE66DU),
        pinned_(site_.pin().variant()),
        epoch_(selector_.epoch()),
        launched_(environment.size(), false) {
    direct_ =
        options.delivery.delay_max == 0 && options.delivery.lost == 0.0 && options.delivery.duplicated == 0.0;
  }

  Outcome finish() {
    if (options_.keep_choices) outcome_.choices.reserve(options_.calls);
    auto checkpoint = options_.checkpoints.begin();
    for (call_ = 0; call_ < options_.calls; ++call_) {
      step();
      if (checkpoint != options_.checkpoints.end() && *checkpoint == call_ + 1) {
        outcome_.overhead.push_back(spent_ / least_ - 1.0);
        ++checkpoint;
      }
    }
    outcome_.overhead_end = spent_ / least_ - 1.0;
    outcome_.overhead_realized = spent_realized_ / least_realized_ - 1.0;
    outcome_.timed_share = static_cast<double>(timed_) / static_cast<double>(options_.calls);
    outcome_.launched_variants =
        static_cast<std::size_t>(std::count(launched_.begin(), launched_.end(), true));
    const Explanation explanation = operation_.explain(key_);
    outcome_.gap_incumbent = environment_.gap(operation_.find_variant(explanation.incumbent).value_or(0));
    outcome_.gap_leader = environment_.gap(operation_.find_variant(explanation.leader).value_or(0));
    outcome_.counters = operation_.counters();
    return std::move(outcome_);
  }

 private:
  void step() {
    environment_.advance();
    while (!arrivals_.empty() && arrivals_.top().call <= call_) {
      deliver(arrivals_.top().decision, arrivals_.top().latency);
      arrivals_.pop();
    }
    const Decision decision = site_.select();
    selector_.learn();
    const std::uint32_t variant = decision.variant();
    const double latency = environment_.launch(variant);
    spent_ += environment_.mean(variant);
    least_ += environment_.best_mean();
    spent_realized_ += latency;
    least_realized_ += environment_.latency_ns(environment_.best());
    launched_[variant] = true;
    if (options_.keep_choices) outcome_.choices.push_back(variant * 2 + (decision.timed() ? 1 : 0));
    if (options_.change_call && call_ >= *options_.change_call && !outcome_.reaction &&
        reaction_.add(environment_.gap(variant) <= tie, decision.timed())) {
      outcome_.reaction = reaction_.calls();
      outcome_.reaction_timed = reaction_.timed();
    }
    if (!decision.timed()) return;
    ++timed_;
    spent_ += options_.learning.timing_cost.count();
    spent_realized_ += options_.learning.timing_cost.count();
    if (direct_) return deliver(decision, Latency(latency));
    send(decision, Latency(latency));
  }

  void send(const Decision& decision, Latency latency) {
    const Delivery& delivery = options_.delivery;
    const bool lost = transport_.uniform() < delivery.lost;
    const bool twice = transport_.uniform() < delivery.duplicated;
    const std::uint32_t delays = delivery.delay_max - delivery.delay_min + 1;
    for (int copies = lost ? 0 : twice ? 2 : 1; copies > 0; --copies)
      arrivals_.push({call_ + 1 + delivery.delay_min + transport_.below(delays), ++sent_, decision, latency});
  }

  void deliver(const Decision& decision, Latency latency) {
    operation_.record(decision, latency);
    selector_.learn();
    note_pin();
    note_promotion();
  }

  void note_pin() {
    const std::uint32_t now = site_.pin().variant();
    if (now == pinned_) return;
    ++outcome_.pin_changes;
    if (environment_.mean(now) > environment_.mean(pinned_) * (1.0 + tie)) ++outcome_.wrong_pin_changes;
    pinned_ = now;
  }

  void note_promotion() {
    if (selector_.epoch() == epoch_) return;
    epoch_ = selector_.epoch();
    const std::uint32_t now = operation_.find_variant(operation_.explain(key_).incumbent).value_or(0);
    ++outcome_.promotions;
    if (environment_.gap(now) > tie) ++outcome_.wrong_promotions;
  }

  Environment& environment_;
  const RunOptions& options_;
  Selector selector_;
  Operation& operation_;
  Key key_;
  Site site_;
  Random transport_;
  bool direct_ = true;
  std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> arrivals_;
  std::uint64_t sent_ = 0;

  std::size_t call_ = 0;
  std::uint32_t pinned_;
  std::uint64_t epoch_;
  std::vector<bool> launched_;
  std::size_t timed_ = 0;
  double spent_ = 0.0;
  double least_ = 0.0;
  double spent_realized_ = 0.0;
  double least_realized_ = 0.0;
  Reaction reaction_;
  Outcome outcome_;
};

}  // namespace

Outcome run(Environment& environment, const RunOptions& options, std::uint64_t seed) {
  return Run(environment, options, seed).finish();
}

}  // namespace adaptive::replay
