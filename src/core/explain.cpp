// Why a key runs what it runs.
#include <adaptive/explanation.hpp>

#include <cmath>
#include <cstdio>
#include <ostream>

#include "core/distance.hpp"
#include "core/operation_state.hpp"
#include "core/promotion.hpp"
#include "core/text.hpp"

namespace adaptive {
namespace core {
namespace {

std::string verdict_by_likeness(const Expectation& expected, double leader) {
  const double behind = expected.location - leader;
  return "not looked at: by variants like it, " + percent(std::abs(std::expm1(behind)), 2) +
         (behind > 0 ? " slower" : " faster") + " than the leader, give or take " +
         percent(expected.deviation, 2);
}

std::string verdict(const KeyState& key, std::uint32_t i, const LearningOptions& options) {
  const KeyStatistics& s = key.statistics;
  const VariantStatistics& c = s[i];
  if (!c.available) return c.failures > 0 ? "set aside: it failed" : "disabled";
  if (i == s.incumbent) return s.settled ? "the incumbent, confirmed" : "the incumbent, not yet confirmed";
  const VariantStatistics& leader = s[s.leader()];
  if (c.total_count == 0 && leader.count > 0)
    if (const auto expected = key.policy->expected(s, i))
      return verdict_by_likeness(*expected, leader.location);
  if (c.count < options.samples_min)
    return "needs " + std::to_string(options.samples_min - c.count) + " more results to be ruled in or out";
  if (s.agreeing(i, s.starts_cold()) < options.samples_min) return "its few results do not agree; needs more";
  const VariantStatistics& incumbent = s[s.incumbent];
  if (incumbent.count < options.samples_min) return "waits for results of the incumbent";
  const double behind = c.location - incumbent.location;
  const double unsure = s.radius(i, options.error) + s.radius(s.incumbent, options.error);
  if (behind > 0 && behind > unsure) return "slower by " + percent(std::expm1(behind), 2) + ", surely";
  if (behind > 0)
    return "slower by " + percent(std::expm1(behind), 2) + " as far as known; would have to gain that";
  if (-behind > unsure && outliers_in_doubt(s, i))
    return "faster by " + percent(-std::expm1(behind), 2) +
           ", surely, but for outliers that may be its own; promoted once the others have shown as many";
  if (-behind > unsure)
    return "faster by " + percent(-std::expm1(behind), 2) +
           ", surely; promoted once all others are ruled out";
  return "faster by " + percent(-std::expm1(behind), 2) + " as far as known; needs the uncertainty of " +
         percent(unsure, 2) + " to shrink below that";
}

Explanation::Candidate describe(const KeyState& key, std::uint32_t i, const std::string& name,
                                const LearningOptions& options) {
  const KeyStatistics& s = key.statistics;
  const VariantStatistics& c = s[i];
  Explanation::Candidate d;
  d.name = name;
  d.available = c.available;
  d.count = c.total_count;
  d.failures = c.failures;
  d.pending = c.pending;
  d.mean_ns = c.mean_ns;
  d.deviation_ns = std::sqrt(c.variance_ns());
  if (c.count > 0) {
    const double radius = s.radius(i, options.error);
    d.location_ns = std::exp(c.location);
    d.lower_ns = std::exp(c.location - radius);
    d.upper_ns = std::exp(c.location + radius);
  }
  if (c.has_prior()) {
    d.seed_ns = std::exp(c.prior);
    d.seed_deviation = c.prior_deviation;
  }
  d.verdict = verdict(key, i, options);
  return d;
}

std::string start_text(const Explanation& e) {
  const std::string from = e.source.empty() ? "" : " from " + e.source;
  switch (e.match.kind) {
    case MatchKind::exact:
      return "it has an entry of its own" + from;
    case MatchKind::nearest: {
      char distance[32];
      std::snprintf(distance, sizeof distance, "%.3g", e.match.distance);
      return "it borrows from the nearest known key, " + from.substr(6) + ", at distance " + distance;
    }
    case MatchKind::predicted:
      return "a model" + from + " predicts it, each variant against the others to " +
             percent(e.match.deviation, 2);
    case MatchKind::fallback:
      break;
  }
  return "nothing near it was known, so it began with the default";
}

std::string name_of(Mode mode) {
  switch (mode) {
    case Mode::off:
      return "off";
    case Mode::seed:
      return "seed";
    case Mode::observe:
      return "observe";
    case Mode::frozen:
      return "frozen";
    case Mode::online:
      break;
  }
  return "online";
}

// `running` is what calls get that do not explore.
std::string reason(const Explanation& e, const std::string& running, bool forced) {
  const bool learned = e.mode == Mode::online || e.mode == Mode::frozen;
  std::string text = running + " runs: ";
  if (forced)
    text += "it is forced; otherwise " + e.incumbent + " would: ";
  else if (e.mode == Mode::off || (!learned && running != e.incumbent))
    text += "the mode is " + name_of(e.mode) + "; otherwise " + e.incumbent + " would: ";
  else
    text = e.incumbent + " runs: ";
  text += start_text(e);
  if (!e.history.empty())
    text += "; since then " + e.history.back().to + " took the place of " + e.history.back().from;
  if (e.leader != e.incumbent) text += "; " + e.leader + " is ahead and in use, but not yet surely better";
  return text;
}

}  // namespace

Explanation OperationState::explain(const Key& asked) const {
  const Key key = canonical(spec_.dimensions, asked);
  Explanation e;
  e.operation = spec_.name;
  e.key = print(spec_.dimensions, key);
  e.mode = shared_.running_mode();
  const auto name = [&](std::uint32_t variant) { return variants_[variant].spec.name; };

  const std::lock_guard lock(admin_);
  const auto describe_start = [&](const StartingPoint& start) {
    e.match = start.match;
    e.source = start.source;
    if (start.match.kind == MatchKind::nearest)
      e.source = print(spec_.dimensions, start.match.source) + " of " + start.source;
  };
  const auto describe_other_classes = [&](std::uint32_t default_variant) {
    for (std::uint32_t i = 0; i < variants_.size(); ++i)
      if (!may_stand_in(i, default_variant)) e.other_class.push_back(name(i));
  };
  const detail::KeyHead* head = find(key);
  const std::uint32_t forced = forced_variant_.load(std::memory_order_acquire);
  if (head == nullptr) {
    Candidates candidates = candidates_of_new(key);
    const StartingPoint start = start_of(key, candidates);
    describe_start(start);
    e.incumbent = e.leader = name(candidates.variants[start.candidate]);
    for (std::size_t i = 0; i < candidates.variants.size(); ++i) {
      Explanation::Candidate candidate;
      candidate.name = name(candidates.variants[i]);
      if (start.prior[i] == start.prior[i]) {
        candidate.seed_ns = std::exp(start.prior[i]);
        candidate.seed_deviation = start.prior_deviation[i];
      }
      candidate.verdict = "the key has not been seen yet";
      e.candidates.push_back(std::move(candidate));
    }
    for (const std::uint32_t variant : candidates.unsupported) e.unsupported.push_back(name(variant));
    describe_other_classes(candidates.variants[candidates.fallback]);
    const bool obeys = forced != not_forced && can_run(forced, key);
    const std::uint32_t runs = obeys                 ? forced
                               : e.mode == Mode::off ? candidates.variants[candidates.fallback]
                                                     : candidates.variants[start.candidate];
    e.reason = reason(e, name(runs), obeys);
    return e;
  }

  const KeyState& state = *head->state;
  const std::lock_guard key_lock(state.lock);
  const KeyStatistics& s = state.statistics;
  describe_start(state.start);
  e.incumbent = name(state.variant_of(s.incumbent));
  e.leader = name(state.variant_of(choosable(state, state.policy->rest(s).candidate)));
  e.settled = s.settled;
  e.calls = s.calls;
  e.explored_share = s.calls > 0 ? state.explored_calls / s.calls : 0.0;
  const std::uint32_t leader = s.leader();
  if (s.calls > 0 && s[leader].count > 0)
    e.lost_share = state.lost_ns / (state.lost_ns + s.calls * std::exp(s[leader].location));
  for (std::uint32_t i = 0; i < s.size(); ++i)
    e.candidates.push_back(describe(state, i, name(s[i].variant), shared_.learning));
  for (const std::uint32_t variant : state.unsupported) e.unsupported.push_back(name(variant));
  describe_other_classes(state.default_variant);
  for (const HistoryEntry& h : state.history)
    e.history.push_back({h.kind, name(h.from), name(h.to), h.gain, h.calls, h.epoch});
  const std::uint32_t runs = detail::Plan::variant(head->plan.load(std::memory_order_acquire));
  e.reason = reason(e, name(runs), forced == runs);
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

std::string seed_text(const Explanation::Candidate& c) {
  if (!(c.seed_ns > 0)) return "-";
  return line("%.3f +-%.0f%%", c.seed_ns / 1e3, 100.0 * c.seed_deviation);
}

}  // namespace

std::string Explanation::text() const {
  std::string out = operation + "  " + key + "\n  " + reason + "\n";
  out += line("  %.0f calls, %.2f %% of them exploring, %.2f %% of the time lost by it\n", calls,
              100.0 * explored_share, 100.0 * lost_share);
  out += line("  %-28s %9s %12s %24s %16s  %s\n", "variant", "results", "latency us", "confidence limits us",
              "seed us", "verdict");
  for (const Candidate& c : candidates) {
    const std::string limits = c.count == 0 ? "-" : line("%.3f .. %.3f", c.lower_ns / 1e3, c.upper_ns / 1e3);
    out += line("  %-28s %9llu %12s %24s %16s  ", c.name.c_str(), static_cast<unsigned long long>(c.count),
                c.location_ns > 0 ? line("%.3f", c.location_ns / 1e3).c_str() : "-", limits.c_str(),
                seed_text(c).c_str()) +
           c.verdict + "\n";
  }
  for (const std::string& name : unsupported) out += "  " + name + " cannot run this key\n";
  for (const std::string& name : other_class)
    out += "  " + name + " gives other bits: another numeric class\n";
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
