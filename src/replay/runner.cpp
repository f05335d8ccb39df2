#include "replay/runner.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <queue>
#include <set>
#include <string>
#include <utility>

#include <adaptive/adaptive.hpp>
#include "replay/fixed_variants.hpp"
#include "replay/run_tables.hpp"
#include "replay/temporary_folder.hpp"

namespace adaptive::inline v1::replay {
namespace {

struct Arrival {
  std::size_t call;
  std::uint64_t order;  // tells arrivals of one call apart, which the queue does not keep in order
  std::size_t lane;
  Key key;
  Decision decision;
  Latency latency;
  bool operator>(const Arrival& other) const noexcept {
    return call != other.call ? call > other.call : order > other.order;
  }
};

OperationSpec spec(const Environment& environment) {
  OperationSpec result{.name = "simulated", .dimensions = environment.dimensions()};
  for (std::uint32_t i = 0; i < environment.size(); ++i)
    result.variants.push_back(
        {.name = environment.variant_name(i), .parameters = environment.variant_parameters(i)});
  return result;
}

class Reaction {
 public:
  // Whether the last `window` calls were good enough.
  bool add(bool good, bool timed) noexcept {
    Call& latest = latest_[calls_++ % window];
    good_ += std::size_t{good} - std::size_t{latest.good};
    timed_before_ += latest.timed;
    latest = {good, timed};
    return calls_ >= window && good_ >= needed;
  }
  // The numbers of calls, and of timed ones, before those.
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

// One key of the program, or all keys of an environment that changes them, and what its calls have cost.
struct Lane {
  Lane(const RunKey& key, Operation& its_operation)
      : environment(*key.environment),
        operation(its_operation),
        bound(key.key),
        launched(environment.size(), false) {
    for (std::uint32_t i = 0; i < environment.size(); ++i) indices.emplace(environment.variant_name(i), i);
    for (std::uint32_t i = 0; i < operation.variant_count(); ++i)
      variants.push_back(index_of(operation.variant(i).name));
    if (environment.changes_keys())
      beside.emplace(environment.size());
    else
      site.emplace(operation.site(bound));
  }

  Key key() const { return environment.changes_keys() ? environment.key() : bound; }
  Decision select() { return site ? site->select() : operation.select(environment.key()); }

  // The environment's index of a variant; that of the default for a variant that it does not have.
  std::uint32_t index_of(const std::string& name) const {
    const auto at = indices.find(name);
    return at == indices.end() ? 0 : at->second;
  }

  Environment& environment;
  Operation& operation;
  Key bound;
  std::optional<Site> site;  // of an only key
  std::map<std::string, std::uint32_t> indices;
  std::vector<std::uint32_t> variants;  // of the environment, by the operation's index
  std::vector<bool> launched;
  std::set<Key> keys;  // that an environment that changes them has had
  std::optional<BesideFixedVariants> beside;
  Reaction reaction;
  std::size_t calls = 0;
  std::size_t timed = 0;
  double lost = 0.0;  // in latencies of the best
  double spent_realized = 0.0;
  double least_realized = 0.0;
  Outcome outcome;
};

// Whose turn it is: all calls of all keys in a random order, drawn one by one, so that the memory does not
// grow with the calls. A binary indexed tree (Fenwick, "A new data structure for cumulative frequency
// tables", Software: Practice and Experience 24, 1994) holds how many calls each key has left.
class Turns {
 public:
  Turns(std::size_t keys, std::size_t calls, std::uint64_t seed)
      : left_(keys * calls), tree_(keys + 1, 0), random_(seed) {
    for (std::size_t i = 1; i <= keys; ++i) tree_[i] = calls * (i & (~i + 1));
    while (2 * top_ <= keys) top_ *= 2;
  }

  std::size_t next() {
    auto rank = static_cast<std::size_t>(random_.uniform() * static_cast<double>(left_));
    std::size_t key = 0;
    for (std::size_t step = top_; step > 0; step /= 2) {
      if (key + step >= tree_.size() || tree_[key + step] > rank) continue;
      key += step;
      rank -= tree_[key];
    }
    for (std::size_t i = key + 1; i < tree_.size(); i += i & (~i + 1)) --tree_[i];
    --left_;
    return key;
  }

 private:
  std::size_t left_;
  std::vector<std::size_t> tree_;  // element i: the calls left of the keys below i, as many as its lowest bit
  std::size_t top_ = 1;
  Random random_;
};

class Run {
 public:
  // `table` is a further one to load; empty: none. Runs of one seed with different `draw` have the same
  // truth.
  Run(const Program& program, const RunOptions& options, std::size_t calls, std::uint64_t seed,
      std::uint64_t draw, const std::filesystem::path& table)
      : options_(options),
        calls_(calls),
        total_(calls * program.keys.size()),
        selector_(selector_options(options, seed_of_draw(seed, draw), draw)),
        transport_(seed_of_draw(seed, draw) ^ 0x5DEECE66DU),
        turns_seed_(seed_of_draw(seed, draw) ^ 0x2545F491U) {
    direct_ =
        options.delivery.delay_max == 0 && options.delivery.lost == 0.0 && options.delivery.duplicated == 0.0;
    for (const RunKey& key : program.keys) key.environment->restart(key.seed, draw);
    load_tables(program, seed, table);
    std::vector<Operation*> operations;
    for (const OperationSpec& one : program.operations) operations.push_back(&selector_.define(one));
    lanes_.reserve(program.keys.size());
    for (const RunKey& key : program.keys) lanes_.emplace_back(key, *operations[key.operation]);
    epoch_ = selector_.epoch();
  }

  void play() {
    if (options_.keep_choices)
      for (Lane& lane : lanes_) lane.outcome.choices.reserve(calls_);
    Turns turns(lanes_.size(), calls_, turns_seed_);
    for (std::size_t call = 0; call < total_; ++call) {
      const std::size_t which = turns.next();
      step(which);
      Lane& lane = lanes_[which];
      std::vector<double>& read = lane.outcome.overhead;
      if (read.size() < options_.checkpoints.size() && options_.checkpoints[read.size()] == lane.calls)
        read.push_back(lane.lost / static_cast<double>(lane.calls));
    }
  }

  std::vector<Outcome> outcomes() {
    if (options_.judge_table) kept_ = kept_incumbents(selector_);
    std::vector<Outcome> result;
    for (Lane& lane : lanes_) {
      finish(lane);
      result.push_back(std::move(lane.outcome));
    }
    return result;
  }

  void save(const std::filesystem::path& path) const { selector_.save(path); }

 private:
  static SelectorOptions selector_options(const RunOptions& options, std::uint64_t seed, std::uint64_t draw) {
    SelectorOptions result = quiet_selector(simulated_device, seed);
    result.policy = options.policy;
    result.learning = options.learning;
    result.writer = "replay-" + std::to_string(draw);
    return result;
  }

  void load_tables(const Program& program, std::uint64_t seed, const std::filesystem::path& table) {
    if (!program.table.empty()) selector_.load(program.table);
    if (options_.seeds) {
      const TemporaryFolder folder;
      write_seed_table(program, *options_.seeds, seed, folder.path() / "table.json");
      selector_.load(folder.path() / "table.json");
    }
    if (!table.empty()) selector_.load(table);
  }

  void step(std::size_t which) {
    Lane& lane = lanes_[which];
    Environment& environment = lane.environment;
    environment.advance();
    while (!arrivals_.empty() && arrivals_.top().call <= call_) {
      const Arrival arrival = arrivals_.top();
      arrivals_.pop();
      deliver(lanes_[arrival.lane], arrival.key, arrival.decision, arrival.latency);
    }
    const Decision decision = lane.select();
    selector_.learn();
    const std::uint32_t variant = lane.variants[decision.variant()];
    const double latency = environment.launch(variant);
    const double timing_ns = decision.timed() ? options_.learning.timing_cost.count() : 0.0;
    account(lane, variant, decision.timed(), environment.gap(variant) + timing_ns / environment.best_mean());
    lane.spent_realized += latency + timing_ns;
    lane.least_realized += environment.latency_ns(environment.best());
    if (environment.changes_keys()) lane.keys.insert(environment.key());
    ++call_;
    if (!decision.timed()) return;
    if (direct_)
      deliver(lane, lane.key(), decision, Latency(latency));
    else
      send(which, decision, Latency(latency));
  }

  void account(Lane& lane, std::uint32_t variant, bool timed, double lost) {
    lane.lost += lost;
    if (call_ >= total_ / 2) lane.outcome.last_half.add(lost);
    if (call_ >= total_ - std::max<std::size_t>(total_ / 4, 1)) lane.outcome.last_quarter.add(lost);
    if (call_ >= total_ - std::max<std::size_t>(total_ / 10, 1))
      lane.outcome.late_timed.add(timed ? 1.0 : 0.0);
    if (lane.beside) lane.beside->add(lane.environment, lost);
    lane.launched[variant] = true;
    lane.timed += timed ? 1 : 0;
    if (options_.keep_choices) lane.outcome.choices.push_back(variant * 2 + (timed ? 1 : 0));
    if (options_.change_call && lane.calls >= *options_.change_call && !lane.outcome.reaction &&
        lane.reaction.add(lane.environment.gap(variant) <= tie, timed)) {
      lane.outcome.reaction = lane.reaction.calls();
      lane.outcome.reaction_timed = lane.reaction.timed();
    }
    ++lane.calls;
  }

  void send(std::size_t lane, const Decision& decision, Latency latency) {
    const Delivery& delivery = options_.delivery;
    const bool lost = transport_.uniform() < delivery.lost;
    const bool twice = transport_.uniform() < delivery.duplicated;
    const std::uint32_t delays = delivery.delay_max - delivery.delay_min + 1;
    for (int copies = lost ? 0 : twice ? 2 : 1; copies > 0; --copies)
      arrivals_.push({call_ + delivery.delay_min + transport_.below(delays), ++sent_, lane,
                      lanes_[lane].key(), decision, latency});
  }

  void deliver(Lane& lane, const Key& key, const Decision& decision, Latency latency) {
    lane.operation.record(decision, latency);
    selector_.learn();
    if (selector_.epoch() == epoch_) return;
    epoch_ = selector_.epoch();
    const Explanation explanation = lane.operation.explain(key);
    if (explanation.history.empty()) return;
    const Event& event = explanation.history.back();
    const std::vector<double> means = lane.environment.means_at(key);
    ++lane.outcome.promotions;
    if (means[lane.index_of(event.to)] > means[lane.index_of(event.from)] * (1.0 + tie))
      ++lane.outcome.wrong_promotions;
  }

  void finish(Lane& lane) {
    Outcome& outcome = lane.outcome;
    const double calls = static_cast<double>(std::max<std::size_t>(lane.calls, 1));
    outcome.overhead_end = lane.lost / calls;
    outcome.overhead_realized = lane.spent_realized / lane.least_realized - 1.0;
    outcome.timed_share = static_cast<double>(lane.timed) / calls;
    outcome.launched_variants =
        static_cast<std::size_t>(std::count(lane.launched.begin(), lane.launched.end(), true));
    outcome.counters = lane.operation.counters();
    outcome.reaction_awaited = options_.change_call.has_value();
    if (lane.beside) outcome.fixed = lane.beside->result();
    if (!lane.environment.changes_keys()) return judge(lane, lane.bound, 1.0);
    for (const Key& key : lane.keys) judge(lane, key, 1.0 / static_cast<double>(lane.keys.size()));
  }

  // Adds how a key ends, by the truth of its last call.
  void judge(Lane& lane, const Key& key, double share) const {
    const Explanation explanation = lane.operation.explain(key);
    const std::vector<double> means = lane.environment.means_at(key);
    const double least = *std::min_element(means.begin(), means.end());
    const auto gap = [&](const std::string& name) { return means[lane.index_of(name)] / least - 1.0; };
    Outcome& outcome = lane.outcome;
    outcome.gap_incumbent += share * gap(explanation.incumbent);
    outcome.gap_leader += share * gap(explanation.leader);
    outcome.promoted += gap(explanation.incumbent) <= tie ? share : 0.0;
    outcome.confirmed += explanation.settled ? share : 0.0;
    if (!options_.judge_table) return;
    const auto operation = kept_.find(lane.operation.name());
    const bool named = operation != kept_.end() && operation->second.contains(key);
    outcome.kept_gap += share * (named ? gap(operation->second.at(key)) : means.front() / least - 1.0);
  }

  const RunOptions& options_;
  std::size_t calls_;  // of each key
  std::size_t total_;
  Selector selector_;
  std::vector<Lane> lanes_;
  Random transport_;
  std::uint64_t turns_seed_;
  bool direct_ = true;
  std::priority_queue<Arrival, std::vector<Arrival>, std::greater<>> arrivals_;
  std::uint64_t sent_ = 0;
  std::size_t call_ = 0;  // of all keys
  std::uint64_t epoch_ = 0;
  std::map<std::string, std::map<Key, std::string>> kept_;
};

}  // namespace

std::vector<Outcome> run(const Program& program, const RunOptions& options, std::uint64_t seed) {
  if (options.own_table_calls == 0) {
    Run only(program, options, options.calls, seed, 0, {});
    only.play();
    return only.outcomes();
  }
  const TemporaryFolder folder;
  const std::filesystem::path table = folder.path() / "own.json";
  {
    RunOptions first_options = options;
    first_options.checkpoints.clear();
    first_options.keep_choices = false;
    Run first(program, first_options, options.own_table_calls, seed, 1, {});
    first.play();
    first.save(table);
  }
  Run second(program, options, options.calls, seed, 0, table);
  second.play();
  return second.outcomes();
}

Program program_of(Environment& environment, std::uint64_t seed) {
  environment.restart(seed);
  return {{spec(environment)}, {{&environment, 0, {1}, seed}}, {}};
}

Outcome run(Environment& environment, const RunOptions& options, std::uint64_t seed) {
  return std::move(run(program_of(environment, seed), options, seed).front());
}

}  // namespace adaptive::replay
