#include "imed.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "policies/models/prior_model.hpp"
#include "policies/models/value_of_looking.hpp"

namespace adaptive::inline v1::policies {
namespace {

constexpr double never = std::numeric_limits<double>::infinity();

// A result of the leader moves its location by a share of the deviation that shrinks with their number; from
// so many on, only every so many of them can it matter for the others.
constexpr std::uint64_t review_each_until = 64;
constexpr std::uint64_t review_every = 8;

// The index is compared with the logarithm of a share of the calls: the first hundred calls of a key with
// eight variants are too few to pay for looks that only an endless run would.
constexpr double horizon_share = 0.5;

// One result that is far behind may have been an outlier. What a second look gains per call: the chance of
// that, one in a hundred, times what the best of all may then gain, shared among the candidates of which any
// can be it. The look is also what a promotion waits for, so the gain is put at the generous end.
constexpr double outlier_gain = 0.0008;

// Of two checks of the priors the second comes after so many times the calls of the first.
constexpr double check_spacing = 4.0;

// Where the priors are a prediction, whoever is looked at was predicted to be fast: what is wrong with the
// others does not show. So one that is predicted to be so far behind is looked at from time to time.
constexpr double audit_behind = 0.2;

// Where the results of some candidates say what to expect of the others, the next first look waits for the
// result of the one before and for a fit to the results that have come, which says whom to look at. A fit
// takes some tenths of a millisecond, as long as a hundred short launches; where nobody fits, none ever
// comes.
constexpr double fit_max = 512.0;

// From so many results on priors can be compared with what variants that are alike let expect.
constexpr std::size_t measured_min = 4;

// Single results that a disturbance may have spoiled are checked one at a time, so many calls apart.
constexpr double doubt_spacing = 16.0;

bool seen(const KeyStatistics& key, std::uint32_t i) {
  return key[i].count + key.awaited(i) > 0;
}

/// Whether parameters are all that says what to expect of a candidate.
bool knows_alike(const KeyStatistics& key) noexcept {
  return ParameterModel::applies(key) &&
         std::none_of(key.candidates.begin(), key.candidates.end(),
                      [](const VariantStatistics& c) { return c.has_prior(); });
}

/// When candidates that have results are to be looked at again.
class LooksAgain {
 public:
  LooksAgain(const KeyStatistics& key, std::uint32_t leader, double error) noexcept
      : key_(key),
        leader_(leader),
        cold_(key.starts_cold()),
        cap_(std::log(4.0 * static_cast<double>(key.size()) / error)) {
    if (key.trusted_prior) model_.emplace(key);
  }

  bool cold() const noexcept { return cold_; }

  /// The calls from which on a look at `candidate` is due; infinite where one asked about before is due
  /// first.
  double look_at(std::uint32_t candidate) noexcept;

 private:
  /// Launches, and what they tell against the candidate: each of them makes the look later.
  struct Index {
    double looks = never;
    double information = never;

    bool is_later_than(const Index& other) const noexcept {
      return looks >= other.looks && information >= other.information;
    }
    double calls() const noexcept { return looks * std::exp(lai_boundary(information)) / horizon_share; }
  };

  const KeyStatistics& key_;
  const std::uint32_t leader_;
  const bool cold_;
  const double cap_;
  std::optional<PriorModel> model_;
  Index soonest_;
  double soonest_calls_ = never;
};

double LooksAgain::look_at(std::uint32_t candidate) noexcept {
  // A launch whose result is still out counts as a look, or late results would multiply the looks.
  const VariantStatistics& c = key_[candidate];
  const std::uint32_t awaited = key_.awaited(candidate);
  double n = static_cast<double>(c.count + awaited);
  double behind = c.expected() - key_[leader_].expected();
  if (model_ && c.has_prior()) {
    // What a table of this device measured are looks that need not be made again.
    const double looks = model_->results(c, key_.deviation());
    const double prior_behind = model_->location(c) + c.tail - key_[leader_].expected();
    behind = std::max(0.0, (n * behind + looks * prior_behind) / (n + looks));
    n += looks;
  }
  const double evidence = behind * behind / (2.0 * key_.deviation() * key_.deviation());
  if (evidence > cap_ && key_.agreeing(candidate, cold_) + awaited < 2)
    return behind * static_cast<double>(key_.size()) / outlier_gain;
  // Logarithms and exponentials are most of what a result costs: only for those that can be the next.
  const Index index{n, n * std::min(evidence, cap_)};
  if (index.is_later_than(soonest_)) return never;
  const double calls = index.calls();
  if (calls < soonest_calls_) {
    soonest_ = index;
    soonest_calls_ = calls;
  }
  return calls;
}

}  // namespace

bool Imed::current(const KeyStatistics& key) const noexcept {
  return reviewed_ && size_ == key.size() && key[leader_].available && key[look_].available;
}

void Imed::propose(std::uint32_t candidate, double at_calls) noexcept {
  if (at_calls >= look_at_) return;
  look_at_ = at_calls;
  look_ = candidate;
}

void Imed::review(const KeyStatistics& key) noexcept {
  reviewed_ = true;
  size_ = key.size();
  leader_ = key.leader();
  look_ = leader_;
  look_at_ = never;
  review_unseen(key);
  if (look_at_ > 0.0 && key[leader_].count > 0) review_seen(key);
}

void Imed::review_unseen(const KeyStatistics& key) noexcept {
  if (!seen(key, leader_)) {
    propose(leader_, 0.0);
    return;
  }
  bool priors = false;
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (!key[i].available || seen(key, i)) continue;
    if (!key[i].has_prior()) {
      review_unknown(key, i);
      return;
    }
    priors = true;
  }
  // What a prior is worth shows in the first results; until then the leader alone is known to be worth
  // running.
  if (!priors || key[leader_].count == 0) return;
  const PriorModel model(key);
  const bool alike = likeness_says_more(key, model);
  std::uint32_t nearest = leader_;
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (!key[i].available || seen(key, i)) continue;
    if (nearest == leader_ || model.location(key[i]) < model.location(key[nearest])) nearest = i;
    const double best = key[leader_].expected() - key[i].tail;
    propose(i, alike && like_.knows(i) ? like_.worth_from(i, best) : model.worth_from(key[i], best));
  }
  // Priors that are wrong by far look consistent until somebody checks: the next best of them, at rarer and
  // rarer calls.
  propose(nearest, std::pow(check_spacing, static_cast<double>(model.measured())));
  if (model.predicted()) propose(audited(key, [&](auto i) { return model.location(key[i]); }), audit_at_);
}

// Whether variants that are alike explain the results better than the priors do, as where a table is wrong.
bool Imed::likeness_says_more(const KeyStatistics& key, const PriorModel& model) noexcept {
  if (!model.distrusted() || model.measured() < measured_min || !ParameterModel::applies(key)) return false;
  like_.watch(key);
  return like_.speaks_of(key) && like_.log_likelihood() > model.log_likelihood(key);
}

// Candidates that nothing is known of but their parameters, `first` the first of them.
void Imed::review_unknown(const KeyStatistics& key, std::uint32_t first) noexcept {
  if (!knows_alike(key)) {
    propose(first, 0.0);
    return;
  }
  double from = looks_are_heard_at(key, [&](std::uint32_t i) { return key[i].count == 0; });
  if (key[leader_].count > 0) {
    like_.watch(key);
    if (like_.is_stale()) from = std::max(from, like_.stale_since() + fit_max);
  }
  if (key[leader_].count == 0 || !like_.speaks_of(key)) {
    propose(first, from);
    return;
  }
  const auto worth_from = [&](std::uint32_t i) {
    return like_.knows(i) ? like_.worth_from(i, key[leader_].expected() - key[i].tail) : 0.0;
  };
  for (std::uint32_t i = first; i < key.size(); ++i)
    if (key[i].available && !seen(key, i)) propose(i, std::max(from, worth_from(i)));
  propose(audited(key, [&](auto i) { return like_.knows(i) ? like_.location(i) : never; }), audit_at_);
}

template <class Location>
std::uint32_t Imed::audited(const KeyStatistics& key, Location&& location) const noexcept {
  std::uint32_t chosen = leader_;
  double least = never;
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (!key[i].available || seen(key, i)) continue;
    const double behind = location(i) - key[leader_].location;
    if (std::abs(behind - audit_behind) >= least) continue;
    least = std::abs(behind - audit_behind);
    chosen = i;
  }
  return chosen;
}

void Imed::review_seen(const KeyStatistics& key) noexcept {
  LooksAgain again(key, leader_, options_.error);
  const bool disturbed = key.was_disturbed();
  bool doubts = knows_alike(key);
  if (doubts) {
    like_.watch(key);
    doubts = like_.speaks_of(key);
  }
  for (std::uint32_t i = 0; i < key.size(); ++i) {
    if (i == leader_ || !key[i].available || key[i].count == 0) continue;
    const bool single = key[i].count + key.awaited(i) == 1;
    if (single && again.cold())
      propose(i, 0.0);
    else if (single && disturbed)
      propose(i, doubted_at_);
    else
      propose(i, again.look_at(i));
    propose(i, reopening_.visit_at(key, i, leader_));
    if (single && doubts && like_.doubts(i) && like_.knows(i))
      propose(i, like_.worth_from(i, key[leader_].expected() - key[i].tail));
  }
}

Choice Imed::choose(const KeyStatistics& key, Random&) noexcept {
  try {
    reopening_.prepare(key.size());  // by a key's first call, so that no result allocates
  } catch (...) {
    // Memory is short: the first result tries again.
  }
  if (!current(key)) review(key);
  if (key.calls >= look_at_) {
    if (look_at_ == audit_at_) audit_at_ *= check_spacing;
    if (look_at_ == doubted_at_) doubted_at_ = key.calls + doubt_spacing;
    reopening_.launched(key, look_);
    reviewed_ = false;  // a launch is out: another look at the same candidate is worth less
    return {look_, true};
  }
  // While results are late, more launches of the leader would teach nothing that is not already on its way.
  const VariantStatistics& leader = key[leader_];
  return {leader_, leader.count > 0 || leader.pending < options_.timed_until};
}

void Imed::observe(KeyStatistics& key, const Sample& sample) noexcept {
  reopening_.watch(key, sample, reviewed_ && size_ == key.size() ? leader_ : key.leader());
  const std::uint64_t count = key[sample.candidate].count;
  const bool routine = current(key) && sample.candidate == leader_ && count > review_each_until &&
                       count % review_every != 0 && key.leader() == leader_;
  if (!routine) review(key);
}

std::unique_ptr<Fit> Imed::start_fit(const KeyStatistics& key) {
  return like_.start(key);
}

void Imed::adopt(Fit& fit, const KeyStatistics& key) noexcept {
  like_.adopt(static_cast<ParameterFit&>(fit));
  review(key);
}

std::optional<Expectation> Imed::expected(const KeyStatistics& key, std::uint32_t candidate) const noexcept {
  if (!knows_alike(key) || !like_.speaks_of(key) || !like_.expects(candidate)) return std::nullopt;
  return like_.expected(candidate);
}

Unconsulted Imed::unconsulted(const KeyStatistics& key) const noexcept {
  if (!current(key)) return {key.leader(), 1.0};
  const std::uint64_t count = key[leader_].count;
  if (count < options_.timed_until || reopening_.rising() || look_at_ <= key.calls) return {leader_, 1.0};
  // The more results have confirmed the leader, the less the next can change, and what is left is to notice a
  // drift: the number of timed calls grows with the cube root of the calls. Rates of outliers take longer to
  // know than locations.
  const double until = static_cast<double>(options_.timed_until) *
                       (key[leader_].tail > 0.0 ? options_.timed_longer_for_tails : 1.0);
  const double sure = std::min(1.0, until / static_cast<double>(count));
  return {leader_, std::max(sure * sure, options_.timed_share_min)};
}

}  // namespace adaptive::policies
