#include "operation/explain.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ostream>
#include <span>

#include "base/key_values.hpp"
#include "base/statistics/quantiles.hpp"
#include "base/text.hpp"
#include "learning/key/promotion.hpp"
#include "operation/operation_parts.hpp"

namespace adaptive::inline v1 {
namespace core {
namespace {

std::string verdict_by_likeness(const Expectation& expected, double leader) {
  const double behind = expected.location - leader;
  return "not measured; a model predicts that it is " + percent(std::abs(std::expm1(behind)), 2) +
         (behind > 0 ? " slower" : " faster") + " than the leader, with a standard deviation of " +
         percent(expected.deviation, 2);
}

std::string by(double behind) {
  return (behind > 0 ? "slower by " : "faster by ") + percent(std::abs(std::expm1(behind)), 2);
}

std::string verdict(const KeyLearner& key, std::uint32_t i, const LearningOptions& options, Mode mode) {
  const KeyStatistics& s = key.statistics();
  const VariantStatistics& c = s[i];
  if (!c.available && c.failures > 0) return "set aside: it failed";
  if (!key.fits_memory(i))
    return "needs " + std::to_string(key.memory()[i]) + " bytes, above the memory limit";
  if (!c.available) return "disabled";
  if (i == s.incumbent) return s.settled ? "the incumbent, confirmed" : "the incumbent, not yet confirmed";
  const VariantStatistics& leader = s[s.leader()];
  if (c.total_count == 0 && leader.count > 0)
    if (const auto expected = key.policy().expected(s, i))
      return verdict_by_likeness(*expected, leader.location);
  if (c.count < options.samples_min) {
    const std::uint64_t missing = options.samples_min - c.count;
    return "needs " + std::to_string(missing) + (missing == 1 ? " more result" : " more results") +
           " before it can be compared";
  }
  if (s.agreeing(i, s.starts_cold()) < options.samples_min)
    return "its few results do not agree; it needs more";
  const VariantStatistics& incumbent = s[s.incumbent];
  if (incumbent.count < options.samples_min) return "it waits for results of the incumbent";
  const double behind = c.location - incumbent.location;
  if (c.remembered)
    return by(behind) +
           (c.moved == 0.0 ? " before latencies changed" : " if it has changed like the others") +
           "; no result since";
  const double unsure = s.radius(i, options.error) + s.radius(s.incumbent, options.error);
  const std::string promoted =
      mode == Mode::online ? "; promoted once " : "; mode online would promote it once ";
  if (behind > 0 && behind > unsure) return by(behind) + ", surely";
  if (behind > 0) return by(behind) + " so far, within the uncertainty of " + percent(unsure, 2);
  if (-behind > unsure && outliers_in_doubt(s, i))
    return by(behind) + ", surely, unless its outliers are its own" + promoted +
           "the others have shown outliers at a comparable rate";
  if (-behind > unsure) return by(behind) + ", surely" + promoted + "all others are ruled out";
  return by(behind) + " so far, but within the uncertainty of " + percent(unsure, 2);
}

Explanation::Candidate describe(const KeyLearner& key, std::uint32_t i, const std::string& name,
                                const LearningOptions& options, Mode mode) {
  const KeyStatistics& s = key.statistics();
  const VariantStatistics& c = s[i];
  Explanation::Candidate d;
  d.name = name;
  d.available = c.available;
  if (!key.memory().empty()) d.memory = key.memory()[i];
  d.count = c.total_count;
  d.failures = c.failures;
  d.pending = c.pending;
  d.calls = c.launches;
  d.mean_ns = c.mean_ns;
  d.deviation_ns = std::sqrt(c.variance_ns());
  if (c.count > 0) {
    const double radius = s.radius(i, options.error);
    d.location_ns = std::exp(c.own_location());
    d.lower_ns = std::exp(c.own_location() - radius);
    d.upper_ns = std::exp(c.own_location() + radius);
  }
  if (c.has_prior()) {
    d.seed_ns = std::exp(c.prior);
    d.seed_deviation = c.prior_deviation;
  }
  d.verdict = verdict(key, i, options, mode);
  return d;
}

std::string start_text(const Explanation& e) {
  switch (e.match.kind) {
    case MatchKind::exact:
      return "the key started from its own entry" + (e.source.empty() ? "" : " in " + e.source);
    case MatchKind::nearest: {
      char distance[32];
      std::snprintf(distance, sizeof distance, "%.3g", e.match.distance);
      return "the key started from the nearest known key, " + e.source + ", at distance " + distance;
    }
    case MatchKind::predicted:
      return "the key started from the prediction of a model from " + e.source + ", which may be off by " +
             percent(e.match.deviation, 2) + " for one variant against another";
    case MatchKind::fallback:
      break;
  }
  return "the key started from the default, because nothing near it was known";
}

/// The facts in the sentences that are not fields of the explanation.
struct Running {
  std::string start;  ///< the starting point
  std::string by_default;
  std::string otherwise;  ///< the variant that would run if none were forced
  bool forced = false;
  bool available = true;  ///< false: the running variant has failed or is disabled, but nothing else can run
};

// `wanted` is the name of the variant that `what` describes.
std::string runs_if_available(const Explanation& e, const std::string& what, const std::string& wanted) {
  return " runs " + what + (e.running == wanted ? "" : ", and " + wanted + " is set aside");
}

// Says why calls that do not explore run this variant.
std::string why_it_runs(const Explanation& e, const Running& now) {
  if (now.forced)
    return " runs: it is forced; otherwise " +
           (now.otherwise == e.running ? "it would run too" : now.otherwise + " would run");
  switch (e.mode) {
    case Mode::off:
      return " runs: mode off" + runs_if_available(e, "the default", now.by_default);
    case Mode::seed:
      return " runs: mode seed" + runs_if_available(e, "the starting point", now.start);
    case Mode::observe:
      return " runs: mode observe" + runs_if_available(e, "the starting point", now.start) +
             (e.leader == e.running ? "" : "; mode online would run " + e.leader);
    case Mode::frozen:
      return e.running == e.incumbent
                 ? " runs: mode frozen runs the incumbent"
                 : " runs: it is surely faster than the incumbent, " + e.incumbent + "; the mode is frozen";
    case Mode::online:
      break;
  }
  if (e.running != e.incumbent) return " runs (leading, not yet confirmed); the incumbent is " + e.incumbent;
  return e.settled ? " runs: it is the incumbent, confirmed"
                   : " runs: it is the incumbent, not yet confirmed";
}

std::string reason(const Explanation& e, const Running& now) {
  std::string text = e.running + why_it_runs(e, now);
  if (!now.available) text += "; it is set aside, but no other variant can run";
  if (!e.pinned.empty() && e.pinned != e.running) text += "; pins refer to " + e.pinned;
  text += "; " + start_text(e);
  if (!e.history.empty() && e.history.back().to == e.incumbent) {
    const auto calls = static_cast<std::uint64_t>(e.history.back().calls);
    text += "; " + e.history.back().to + " replaced " + e.history.back().from + " as the incumbent after " +
            std::to_string(calls) + (calls == 1 ? " call" : " calls");
  }
  return text;
}

void describe_start(Explanation& e, const StartingPoint& start, std::span<const Dimension> dimensions) {
  e.match = start.match;
  e.source = start.source;
  if (start.match.kind == MatchKind::nearest)
    e.source = print(dimensions, start.match.source) + " of " + start.source;
}

/// Reads the parts of an operation for `explain` and adds the names of the variants.
class Explainer {
 public:
  explicit Explainer(const OperationParts& operation) : operation_(operation) {}

  /// The caller holds `keys_and_seeds`, and also `asking` if no other thread may admit the key in the
  /// meantime.
  void explain_unseen(Explanation& e, const Key& key, Candidates candidates) const;
  /// The caller holds the key's lock.
  void explain_seen(Explanation& e, const KeyLearner& key) const;

 private:
  std::string name(std::uint32_t variant) const { return operation_.context.variants[variant].spec.name; }
  std::vector<std::string> other_classes(std::uint32_t default_variant) const;

  const OperationParts& operation_;
};

std::vector<std::string> Explainer::other_classes(std::uint32_t default_variant) const {
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < operation_.context.variants.size(); ++i)
    if (!operation_.variants.may_replace(i, default_variant)) names.push_back(name(i));
  return names;
}

void Explainer::explain_unseen(Explanation& e, const Key& key, Candidates candidates) const {
  const RunnableVariants& variants = operation_.variants;
  const bool full = operation_.keys.is_full();
  const StartingPoint start =
      full
          ? operation_.prior.start_of_refused(key, candidates)
          : operation_.prior.start_of(key, candidates, operation_.context.new_policy()->wants_expectations());
  describe_start(e, start, operation_.spec.dimensions);
  e.incumbent = e.leader = name(candidates.variants[start.candidate]);
  for (std::size_t i = 0; i < candidates.variants.size(); ++i) {
    Explanation::Candidate candidate;
    candidate.name = name(candidates.variants[i]);
    if (start.prior[i] == start.prior[i]) {
      candidate.seed_ns = std::exp(start.prior[i]);
      candidate.seed_deviation = start.prior_deviation[i];
    }
    candidate.verdict = full ? "not learned: max_keys is reached" : "this key has not been called yet";
    e.candidates.push_back(std::move(candidate));
  }
  for (const std::uint32_t variant : candidates.unsupported) e.unsupported.push_back(name(variant));
  e.other_class = other_classes(candidates.default_variant());
  const std::uint32_t forced = operation_.context.forced_variant.load(std::memory_order_acquire);
  const std::uint32_t first = variants.runs_unless_forced(candidates, start.candidate);
  const std::uint32_t runs = variants.runs_without_state(candidates, start.candidate);
  e.running = e.pinned = name(runs);
  e.reason = reason(e, {.start = e.incumbent,
                        .by_default = name(candidates.default_variant()),
                        .otherwise = name(first),
                        .forced = forced == runs});
  if (start.overruled)
    e.reason +=
        "; " + overruled_text(start, name(*start.overruled), name(candidates.variants[start.candidate]));
  if (full) e.reason += "; max_keys is reached, so nothing is learned about this key";
}

void Explainer::explain_seen(Explanation& e, const KeyLearner& key) const {
  const KeyStatistics& s = key.statistics();
  const StartingPoint& start = key.start();
  describe_start(e, start, operation_.spec.dimensions);
  e.incumbent = name(key.variant_of(s.incumbent));
  e.leader = name(key.variant_of(key.leading_candidate()));
  e.settled = s.settled;
  e.calls = s.calls;
  e.explored_share = s.calls > 0 ? key.explored_calls() / s.calls : 0.0;
  const std::uint32_t leader = s.leader();
  if (s.calls > 0 && s[leader].count > 0)
    e.lost_share = key.lost_ns() / (key.lost_ns() + s.calls * std::exp(s[leader].location));
  for (std::uint32_t i = 0; i < s.size(); ++i)
    e.candidates.push_back(
        describe(key, i, name(s[i].variant), operation_.context.selector.learning, e.mode));
  for (const std::uint32_t variant : key.unsupported()) e.unsupported.push_back(name(variant));
  e.other_class = other_classes(key.default_variant());
  for (const HistoryEntry& h : key.history())
    e.history.push_back({h.kind, name(h.from), name(h.to), h.gain, h.calls, h.epoch});
  const KeyLearner::PlannedCalls planned = key.planned_calls();
  const std::optional<std::uint32_t> forced = key.forced_variant();
  const std::uint32_t runs = forced.value_or(planned.variant);
  e.running = name(runs);
  e.pinned = name(forced.value_or(planned.pinned));
  const bool available =
      forced || std::none_of(s.candidates.begin(), s.candidates.end(),
                             [&](const VariantStatistics& c) { return c.variant == runs && !c.available; });
  const std::string start_name = name(key.variant_of(start.candidate));
  e.reason = reason(e, {.start = start_name,
                        .by_default = name(key.default_variant()),
                        .otherwise = name(planned.variant),
                        .forced = forced.has_value(),
                        .available = available});
  if (start.overruled) e.reason += "; " + overruled_text(start, name(*start.overruled), start_name);
}

}  // namespace

Explanation explain(const OperationParts& operation, const Key& asked) {
  const std::vector<Dimension>& dimensions = operation.spec.dimensions;
  const Key key = canonical(dimensions, asked);
  Explanation e;
  e.operation = operation.spec.name;
  e.key = print(dimensions, key);
  e.mode = operation.context.selector.running_mode();

  // Asking the program is necessary only for a key without a state. No key can get one while `asking` is
  // held.
  std::unique_lock asking(operation.locks.asking, std::defer_lock);
  Candidates candidates;
  const detail::KeyHead* head = operation.keys.find(key);
  if (head == nullptr) {
    operation.admission.wait_to_ask(asking);
    head = operation.keys.find(key);
    if (head == nullptr) candidates = operation.admission.candidates_of(key);
  }
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  const Explainer explainer(operation);
  if (head == nullptr) {
    explainer.explain_unseen(e, key, std::move(candidates));
    return e;
  }
  std::vector<std::vector<double>> latencies_ns;
  {
    const KeyLearner& learner = *head->learner;
    const std::lock_guard key_lock(learner.lock());
    explainer.explain_seen(e, learner);
    for (std::uint32_t i = 0; i < e.candidates.size(); ++i)
      latencies_ns.push_back(learner.windows().latencies_ns(i));
  }
  // Quantiles take too long for the lock of the key.
  for (std::size_t i = 0; i < latencies_ns.size(); ++i) e.candidates[i].recent = quantiles(latencies_ns[i]);
  return e;
}

}  // namespace core

namespace {

template <class... Values>
std::string line(const char* format, Values... values) {
  char buffer[512];
  std::snprintf(buffer, sizeof buffer, format, values...);
  return buffer;
}

std::string recent_text(const RecentLatencies& recent) {
  if (recent.count == 0) return "-";
  return line("%.3f %.3f %.3f", recent.median_ns / 1e3, recent.p95_ns / 1e3, recent.p99_ns / 1e3);
}

std::string seed_text(const Explanation::Candidate& c) {
  if (!(c.seed_ns > 0)) return "-";
  return line("%.3f +-%.0f%%", c.seed_ns / 1e3, 100.0 * c.seed_deviation);
}

}  // namespace

std::string Explanation::text() const {
  std::string out = operation + "  " + key + "\n  " + reason + "\n";
  out += line("  about %.0f calls in modes online and observe, %.2f %% of them exploring, ", calls,
              100.0 * explored_share) +
         line("%.2f %% of the time lost by exploring\n", 100.0 * lost_share);
  out += line("  %-28s %10s %9s %12s %24s %27s %16s  %s\n", "variant", "calls", "results", "latency us",
              "confidence limits us", "latest: median p95 p99 us", "seed us", "verdict");
  for (const Candidate& c : candidates) {
    const std::string limits = c.count == 0 ? "-" : line("%.3f .. %.3f", c.lower_ns / 1e3, c.upper_ns / 1e3);
    out += line("  %-28s %10.0f %9llu %12s %24s %27s %16s  ", c.name.c_str(), c.calls,
                static_cast<unsigned long long>(c.count),
                c.location_ns > 0 ? line("%.3f", c.location_ns / 1e3).c_str() : "-", limits.c_str(),
                recent_text(c.recent).c_str(), seed_text(c).c_str()) +
           c.verdict + "\n";
  }
  for (const std::string& name : unsupported) out += "  " + name + " cannot run this key\n";
  for (const std::string& name : other_class)
    out += "  " + name + " has another numeric class: its results may have other bits\n";
  for (const Event& event : history) {
    const char* kind = event.kind == EventKind::promotion  ? "promotion"
                       : event.kind == EventKind::demotion ? "demotion"
                                                           : "failure";
    out += line("  after %.0f calls, epoch %llu: %s of ", event.calls,
                static_cast<unsigned long long>(event.epoch), kind) +
           event.from + " -> " + event.to + line(" (%+.1f %%)\n", 100.0 * event.gain);
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const Explanation& explanation) {
  return out << explanation.text();
}

}  // namespace adaptive
