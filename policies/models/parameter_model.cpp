#include "policies/models/parameter_model.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "policies/models/value_of_looking.hpp"

namespace adaptive::policies {
namespace {

// Looking at few candidates costs less than being wrong about them.
constexpr std::size_t candidates_min = 6;
// More results than this improve little and cost the cube of their number.
constexpr std::size_t told_max = 64;
// A location that has moved by less changes no prediction that matters.
constexpr double moved_min = 0.03;

// Outliers are later by a factor of 2 to 50, any of them as likely as another on a logarithmic scale. What is
// later by less is none.
constexpr double outlier_density = 0.3;
constexpr double outlier_min = 0.5;

// So many of the candidates are unlike all others, and may then be anywhere within this deviation, where
// parameters explain nothing; where they explain all but a share, the square of that share of so many.
constexpr double stranger_share = 0.1;
constexpr double stranger_deviation = 0.6;

// As many calls are expected as there have been, times this. A look that is not made teaches nothing either:
// with more than 1 parameters that mislead are found out sooner, and what good ones save hardly shrinks.
constexpr double calls_to_come = 5.0;

// A first result after a cold start says nothing about the others.
bool tells(const VariantStatistics& c, bool cold) noexcept {
  return c.count > (cold ? 1U : 0U);
}

// Those that have results which are worth something: the fastest, and of the others as many as there is room
// for, evenly by location.
std::vector<std::size_t> told_by(const std::vector<double>& locations) {
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < locations.size(); ++i)
    if (locations[i] == locations[i]) known.push_back(i);
  if (known.size() <= told_max) return known;
  std::sort(known.begin(), known.end(),
            [&](std::size_t a, std::size_t b) { return locations[a] < locations[b]; });
  constexpr std::size_t half = told_max / 2;
  const std::size_t rest = known.size() - half;
  for (std::size_t i = 0; i < half; ++i) known[half + i] = known[half + (i + 1) * rest / half - 1];
  known.resize(told_max);
  return known;
}

// Whether a result is likelier to be an outlier than what the variant takes.
bool is_doubtful(const KeyStatistics& key, double above, double variance) noexcept {
  if (above < outlier_min) return false;
  const double density =
      std::exp(-0.5 * above * above / variance) / std::sqrt(2.0 * std::numbers::pi * variance);
  return key.outlier_share() * outlier_density > density;
}

}  // namespace

bool ParameterModel::applies(const KeyStatistics& key) noexcept {
  return key.size() >= candidates_min && key.parameters != nullptr && !key.parameters->empty() &&
         key.parameters->coordinates.size() == key.size() * key.parameters->dimensions;
}

bool ParameterModel::is_current(const KeyStatistics& key, bool cold) const noexcept {
  if (fitted_to_.size() != key.size()) return false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const double now = tells(key[i], cold) ? key[i].location : VariantStatistics::none;
    const bool was_told = fitted_to_[i] == fitted_to_[i];
    if ((now == now) != was_told) return false;
    if (std::abs(now - fitted_to_[i]) > std::max(moved_min, key.deviation())) return false;
  }
  return true;
}

bool ParameterModel::update(const KeyStatistics& key) noexcept {
  const bool cold = key.starts_cold();
  try {
    if (!is_current(key, cold)) fit(key, cold);
  } catch (...) {
    // Memory is short: nothing is expected of anybody, so that all are looked at.
    fitted_to_.clear();
    expected_.clear();
  }
  return !expected_.empty();
}

void ParameterModel::fit(const KeyStatistics& key, bool cold) {
  fitted_to_.resize(key.size());
  Candidates unknown;
  for (std::size_t i = 0; i < key.size(); ++i) {
    fitted_to_[i] = tells(key[i], cold) ? key[i].location : VariantStatistics::none;
    if (key[i].count == 0) unknown.push_back(i);
  }
  doubted_.assign(key.size(), false);
  expected_.clear();
  Candidates known = told_by(fitted_to_);
  if (known.empty()) return;

  std::optional<ParameterProcess> process(std::in_place, key, known, unknown);
  weigh(*process, known.size());
  if (hypotheses_.empty()) return;
  if (doubt(key, *process, known, unknown)) {
    process.emplace(key, known, unknown);
    weighed_at_ = 0;
    weigh(*process, known.size());
    if (hypotheses_.empty()) return;
  }
  const ParameterProcess::Expected expected = process->expect(hypotheses_);
  stranger_share_ = stranger_share * expected.unexplained * expected.unexplained;
  expected_.resize(key.size());
  for (std::size_t j = 0; j < unknown.size(); ++j) {
    const auto at = static_cast<Eigen::Index>(j);
    expected_[unknown[j]] = {expected.mean[at], std::sqrt(expected.variance[at])};
  }
}

// All hypotheses again whenever results are a quarter more, and meanwhile those that were likely.
void ParameterModel::weigh(ParameterProcess& process, std::size_t results) {
  if (results < weighed_at_ || results >= weighed_at_ + (weighed_at_ + 3) / 4) {
    hypotheses_ = ParameterProcess::hypotheses();
    weighed_at_ = results;
  }
  process.weigh(hypotheses_);
}

bool ParameterModel::doubt(const KeyStatistics& key, ParameterProcess& process, Candidates& known,
                           Candidates& unknown) {
  const ParameterProcess::Errors errors = process.leave_one_out(hypotheses_);
  Candidates trusted;
  log_likelihood_ = 0.0;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    log_likelihood_ += log_density(errors.above[at], errors.variance[at]);
    const bool doubted = key[known[i]].count == 1 && is_doubtful(key, errors.above[at], errors.variance[at]);
    if (doubted)
      unknown.push_back(known[i]);
    else
      trusted.push_back(known[i]);
    doubted_[known[i]] = doubted;
  }
  std::swap(known, trusted);
  return known.size() < trusted.size();
}

double ParameterModel::worth_from(std::size_t candidate, double best) const noexcept {
  const double behind = location(candidate) - best;
  const double gain = expected_gain(behind, deviation(candidate), stranger_share_, stranger_deviation);
  return policies::worth_from(gain, behind) / calls_to_come;
}

}  // namespace adaptive::policies
