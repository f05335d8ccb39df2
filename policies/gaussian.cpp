#include "gaussian.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "policies/models/proof.hpp"
#include "policies/models/value_of_looking.hpp"

namespace adaptive::inline v1::policies {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

// Mean gain, in log latency, if the single result of a candidate was an outlier. It is divided by the number
// of candidates, because each of them may be the one that gains.
constexpr double gain_if_outlier = 0.08;
// Charge for a look at a ruled-out candidate beyond its expected loss, in latencies of the leader: the cost
// of timing. Without the charge, candidates that tie with the leader would be looked at all the time.
constexpr double revisit_charge = 0.07;
// Number of a key's calls around which the expected number of further calls changes: a key with t calls is
// expected to get t (1 + calls_to_come · t / (t + young)) more.
constexpr double young = 30.0;
// Largest log latency above the leader's that the expected cost of a look takes into account.
constexpr double cost_max = 3.0;
// A proof that a candidate is slower needs about this number of results, times the variance of the noise,
// divided by the squared distance.
constexpr double results_of_proof = 20.0;
// Checks: looks at the candidates that are expected to be the fastest, until this many candidates have
// results, as long as such looks cost less than the given share of the time. If results contradict the
// expectations of some candidates, the belief becomes less certain about all of them. Without checks, nothing
// would contradict a model that is wrong about candidates that it expects to be slow. `_told`: a table of
// this device has the key, so that fewer checks suffice. `_elsewhere`: the model has learned mostly from
// tables; it is checked sooner, and fewer checks suffice.
constexpr std::size_t checked_min = 10;
constexpr std::size_t checked_min_told = 3;
constexpr std::size_t checked_min_elsewhere = 6;
constexpr double check_share = 0.01;
constexpr double check_share_elsewhere = 0.03;
// Largest standard deviation of log latency at which `expected` reports an expectation.
constexpr double expected_deviation_max = 0.5;
// Factor of the promotion budget for the first look at the incumbent.
constexpr double first_look_budget = 4.0;
// Number of the leader's results from which a promotion can only lack results of the incumbent.
constexpr std::uint64_t leader_known_from = 64;
// Candidates whose results may be from a disturbance are measured again one at a time, this many calls apart.
constexpr double spoiled_spacing = 4.0;
// A candidate counts as equal to the leader, so that more looks at it gain nothing, if it is less than
// `alike_within` in log latency behind. For that, `alike_deviations` standard deviations of the distance must
// be less than `alike_within`, or the candidate must have `alike_from` results, beyond which a location does
// not become more certain.
constexpr double alike_within = 2e-3;
constexpr double alike_deviations = 2.5;
constexpr double alike_from = 1024.0;

}  // namespace

bool Gaussian::is_current(const KeyStatistics& key) const noexcept {
  return revision_ == key.revision() && key[leader_].available &&
         (look_at_ == infinite || key[look_].available);
}

// The distance of the candidate to the leader in believed log latency, tails included.
double Gaussian::behind(const KeyStatistics& key, std::uint32_t candidate) const noexcept {
  const Belief& belief = key.belief();
  return belief.location(candidate) + key[candidate].tail - belief.location(leader_) - key[leader_].tail;
}

// The expected loss of a look at the candidate, in latencies of the leader.
double Gaussian::cost(const KeyStatistics& key, std::uint32_t candidate) const noexcept {
  return std::expm1(std::clamp(behind(key, candidate), 0.0, cost_max));
}

// The number of a key's calls from which the key is expected to get `calls_to_come` more.
double Gaussian::worth_from(double calls_to_come) const noexcept {
  // t (1 + more t / (t + young)) = calls to come
  const double more = options_.calls_to_come;
  const double b = young - calls_to_come;
  return (-b + std::sqrt(b * b + 4.0 * (1.0 + more) * young * calls_to_come)) / (2.0 * (1.0 + more));
}

void Gaussian::propose(const KeyStatistics& key, std::uint32_t candidate, double at_calls,
                       Reason reason) noexcept {
  at_calls = std::max(at_calls, earliest_);
  // A look is not repeated while its result is awaited.
  if (at_calls >= look_at_ || key.awaited(candidate) > 0) return;
  look_at_ = at_calls;
  look_ = candidate;
  reason_ = reason;
}

void Gaussian::review(const KeyStatistics& key) noexcept {
  revision_ = key.revision();
  leader_ = key.leader();
  look_ = leader_;
  look_at_ = infinite;
  reason_ = Reason::gain;
  told_ = key.expectations != nullptr && key.expectations->from_own_table();
  earliest_ = looks_are_heard_at(key, [&](std::uint32_t i) { return i != leader_ || key[i].count == 0; });
  if (key.expectations == nullptr || !key.belief().fits(key.size())) return review_without_belief(key);
  if (key.belief().measured() == 0 && !told_) return review_first(key);
  // The candidate that a table names is launched before candidates that the table does not know.
  if (key[leader_].count == 0) propose(key, leader_, 0.0, Reason::gain);
  review_witness(key);
  review_incumbent(key);
  review_others(key);
}

// Proposes a look at the cheapest candidate that can witness that the leader is faster by itself, and not
// only because a disturbance ended before its first result.
void Gaussian::review_witness(const KeyStatistics& key) noexcept {
  if (key[leader_].count < promoted_from || has_witness(key, leader_)) return;
  std::uint32_t cheapest = leader_;
  for (std::uint32_t i = 0; i < key.size(); ++i)
    if (key[i].available && key[i].count > 0 && key[i].known_since < key[leader_].known_since &&
        (cheapest == leader_ || behind(key, i) < behind(key, cheapest)))
      cheapest = i;
  if (cheapest != leader_) propose(key, cheapest, 0.0, Reason::gain);
}

// Without expectations, for example because memory ran out: proposes one look at each candidate.
void Gaussian::review_without_belief(const KeyStatistics& key) noexcept {
  if (key[leader_].count == 0) propose(key, leader_, 0.0, Reason::gain);
  for (std::uint32_t i = 0; i < key.size(); ++i)
    if (key[i].available && key[i].count == 0) propose(key, i, 0.0, Reason::gain);
}

// Before the first result: proposes the candidate that is expected to be the fastest, starting with
// `first_look`, and then, while no result comes, the next fastest.
void Gaussian::review_first(const KeyStatistics& key) noexcept {
  std::uint32_t next = leader_;
  double least = infinite;
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (!key[i].available || key[i].pending > 0) continue;
    const double location = i == key.first_look ? -infinite : key.belief().location(i);
    if (location >= least) continue;
    least = location;
    next = i;
  }
  if (least < infinite) propose(key, next, 0.0, Reason::gain);
}

// Proposes a look at the incumbent if a promotion of the leader lacks results of the incumbent.
void Gaussian::review_incumbent(const KeyStatistics& key) noexcept {
  const std::uint32_t incumbent = key.incumbent;
  if (leader_ == incumbent || !key[incumbent].available || behind(key, incumbent) <= 0.0) return;
  if (key[leader_].count < promoted_from) return;
  // An incumbent that has become slower may have been disturbed: it is measured again before it is replaced.
  const double since = key[incumbent].restarted_at;
  if (since > 0.0 && key[incumbent].asked_at < since + slower_for)
    return propose(key, incumbent, since + slower_for, Reason::promotion);
  if (results_lacking(key, incumbent) <= 0.0 && key[leader_].count < leader_known_from) return;
  // Pins and graphs run the incumbent: if it has no results yet, it is looked at sooner.
  const double budget = (key[incumbent].count == 0 ? first_look_budget : 1.0) * options_.promotion_budget;
  propose(key, incumbent, (spent(Reason::promotion) + cost(key, incumbent)) / budget, Reason::promotion);
}

// Number of further results of a candidate that are needed to prove it slower than the leader.
double Gaussian::results_lacking(const KeyStatistics& key, std::uint32_t candidate) const noexcept {
  const double variance = key.deviation() * key.deviation();
  const double far = std::max(0.0, behind(key, candidate)) + key.indifference;
  return std::max(2.0, results_of_proof * variance / (far * far)) - static_cast<double>(key[candidate].count);
}

void Gaussian::review_others(const KeyStatistics& key) noexcept {
  const double zone = std::log1p(key.indifference);
  const double chance_max = proof_error_share * key.error_chance;
  const bool comparable = told_ || key[leader_].count >= promoted_from;
  const bool cold = key.starts_cold();
  std::uint32_t cheapest = leader_;
  std::uint32_t unchecked = leader_;
  std::uint32_t oldest = leader_;
  std::uint32_t spoiled = leader_;
  double least_cost = infinite;
  double least_asked = infinite;
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (!key[i].available || i == leader_) continue;
    const double chance = i == key.incumbent ? 0.0 : key.chance_faster(i, key.incumbent, zone);
    if (comparable && !key.settled && chance > chance_max / static_cast<double>(key.size())) {
      const double results = std::max(1.0, results_lacking(key, i));
      if (results * cost(key, i) < least_cost) {
        least_cost = results * cost(key, i);
        cheapest = i;
      }
    }
    if (key[i].count == 0 && (unchecked == leader_ || behind(key, i) < behind(key, unchecked))) unchecked = i;
    const bool proven = told_ && chance <= chance_max && key[i].count == 0;
    if ((proven || key[i].count > 0) && key[i].asked_at < least_asked) {
      least_asked = key[i].asked_at;
      oldest = i;
    }
    if (proven) continue;  // a table of this device proves the candidate slower: a look would gain nothing
    if (key[i].count == 0)
      review_unseen(key, i);
    else if (key[i].count == 1 && cold)
      propose(key, i, 0.0, Reason::gain);
    else if (key[i].disturbed == VariantStatistics::Doubt::spoiled)
      spoiled = spoiled == leader_ || behind(key, i) < behind(key, spoiled) ? i : spoiled;
    else
      review_seen(key, i);
    propose(key, i, reopening_.visit_at(key, i, leader_), Reason::gain);
  }
  if (spoiled != leader_) propose(key, spoiled, doubted_at_, Reason::gain);
  if (cheapest != leader_)
    propose(key, cheapest,
            options_.proof_from + (spent(Reason::proof) + cost(key, cheapest)) / options_.proof_budget,
            Reason::proof);
  if (unchecked != leader_) review_unchecked(key, unchecked);
  if (oldest != leader_)
    propose(key, oldest,
            (spent(Reason::revisit) + cost(key, oldest) + revisit_charge) / options_.revisit_budget,
            Reason::revisit);
}

// Proposes a check by a look at `candidate`, which is expected to be the fastest of those without results.
void Gaussian::review_unchecked(const KeyStatistics& key, std::uint32_t candidate) noexcept {
  const std::vector<float>& expected = key.expectations->location;
  // If nothing is known, the expectations of all candidates are equal, and there is nothing to check.
  const bool told_apart = expected[candidate] != expected[leader_];
  const bool elsewhere = !told_ && key.expectations->learned_elsewhere;
  const std::size_t enough = told_ ? checked_min_told : elsewhere ? checked_min_elsewhere : checked_min;
  const double share = elsewhere ? check_share_elsewhere : check_share;
  if (told_apart && key[leader_].count > 0 && key.belief().measured() < enough)
    propose(key, candidate, (spent(Reason::check) + cost(key, candidate)) / share, Reason::check);
}

// Proposes a look at a candidate without results once its expected improvement (Mockus, 1975) over the calls
// to come exceeds the expected loss of one call.
void Gaussian::review_unseen(const KeyStatistics& key, std::uint32_t candidate) noexcept {
  const double distance = behind(key, candidate);
  const double variance = std::max(resolvable(key, candidate), 1e-8);
  double gain = expected_gain(distance, std::sqrt(variance));
  if (!told_)
    gain += key.expectations->noise.strangers *
            expected_gain(std::max(0.0, distance), NoiseLaw::stranger_deviation);
  if (gain > 0.0) propose(key, candidate, worth_from(std::max(0.0, gain + distance) / gain), Reason::gain);
}

// Proposes another look at a candidate with results. If the candidate is far behind by a single result, which
// may have been an outlier, the look waits until the chance of an outlier pays for it.
void Gaussian::review_seen(const KeyStatistics& key, std::uint32_t candidate) noexcept {
  const double distance = std::max(0.0, behind(key, candidate));
  const double variance = key.deviation() * key.deviation();
  const double unsure = std::max(resolvable(key, candidate), 1e-12);
  const double n = std::max(static_cast<double>(key[candidate].count), variance / unsure);
  if (distance < alike_within && (alike_deviations * std::sqrt(unsure) < alike_within || n >= alike_from))
    return;
  const double evidence = distance * distance / (2.0 * variance);
  const double chance = key.chance_late(distance, static_cast<double>(key[candidate].count));
  const double cap = -std::log(chance);
  if (evidence > cap && key[candidate].count < 2)
    propose(key, candidate, distance * static_cast<double>(key.size()) / (gain_if_outlier * chance),
            Reason::gain);
  else
    propose(key, candidate, n * std::exp(lai_boundary(std::min(n * evidence, cap))) / options_.horizon_share,
            Reason::gain);
}

// The part of the variance of the distance to the leader that looks at the candidate can reduce: without the
// part that comes from the leader's own results.
double Gaussian::resolvable(const KeyStatistics& key, std::uint32_t candidate) const noexcept {
  const double variance = key.belief().variance_between(candidate, leader_);
  const std::uint64_t count = key[leader_].count;
  if (count == 0 || told_) return variance;
  return variance - key.deviation() * key.deviation() / static_cast<double>(count);
}

Choice Gaussian::choose(const KeyStatistics& key, Random&) noexcept {
  try {
    reopening_.prepare(key.size());  // at a key's first call, so that no result allocates
  } catch (...) {
    // Out of memory: the first result tries again.
  }
  if (!is_current(key)) review(key);
  // While launches are disturbed, a look would tell nothing.
  const bool waits = key.is_disturbed() && key[leader_].count > 0;
  bracket_ = key.calls >= look_at_ && !waits;
  if (bracket_) {
    if (key[look_].disturbed == VariantStatistics::Doubt::spoiled) doubted_at_ = key.calls + spoiled_spacing;
    const bool known =
        key.expectations != nullptr && key.belief().fits(key.size()) && key.belief().measured() > 0;
    spent_[static_cast<std::size_t>(reason_)] +=
        (known ? cost(key, look_) : 0.0) + (reason_ == Reason::revisit ? revisit_charge : 0.0);
    reopening_.launched(key, look_);
    revision_ = 0;  // the next call reviews again, with this launch outstanding
    return {look_, true};
  }
  // If results are late, the leader's outstanding launches will tell enough: do not time more of them.
  const VariantStatistics& leader = key[leader_];
  return {leader_, leader.count > 0 || static_cast<double>(leader.pending) < options_.timed_until};
}

void Gaussian::observe(KeyStatistics& key, const Sample& sample) noexcept {
  reopening_.watch(key, sample, revision_ != 0 ? leader_ : key.leader());
  if (!is_current(key)) review(key);
}

std::optional<Expectation> Gaussian::expected(const KeyStatistics& key,
                                              std::uint32_t candidate) const noexcept {
  const Belief& belief = key.belief();
  if (key.expectations == nullptr || !belief.fits(key.size()) || belief.measured() == 0) return std::nullopt;
  if (key.expectations->checked < 1.0 && !key[candidate].has_prior()) return std::nullopt;
  const double deviation = std::sqrt(std::max(0.0, belief.variance_between(candidate, key.leader())));
  if (deviation >= expected_deviation_max) return std::nullopt;
  return Expectation{belief.location(candidate), deviation};
}

Unconsulted Gaussian::unconsulted(const KeyStatistics& key) const noexcept {
  if (!is_current(key)) return {key.leader(), 1.0};
  const double count = static_cast<double>(key[leader_].count);
  if (count == 0.0 || reopening_.rising() || look_at_ <= key.calls || bracket_ || key.is_disturbed())
    return {leader_, 1.0};
  // The more results the leader has, the less another one changes; in the end, results only serve to notice a
  // drift. The timed share falls so that the number of timed calls grows with the cube root of the calls.
  const double until = told_         ? options_.timed_until_told
                       : key.settled ? options_.timed_until_confirmed
                                     : options_.timed_until;
  const double sure = std::min(1.0, until / count);
  return {leader_, std::max(sure * sure, options_.timed_share_min)};
}

}  // namespace adaptive::policies
