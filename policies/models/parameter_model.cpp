#include "policies/models/parameter_model.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "policies/models/value_of_looking.hpp"

namespace adaptive::inline v1::policies {
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

// The candidates to which the model is fitted, of those that have results worth using: the fastest, and as
// many of the others as there is room for, evenly by location.
std::vector<std::size_t> fitted_candidates(const std::vector<double>& locations) {
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
bool is_doubtful(double outlier_share, double above, double variance) noexcept {
  if (above < outlier_min) return false;
  const double density =
      std::exp(-0.5 * above * above / variance) / std::sqrt(2.0 * std::numbers::pi * variance);
  return outlier_share * outlier_density > density;
}

}  // namespace

ParameterFit::ParameterFit(const KeyStatistics& key, const std::vector<double>& told,
                           const ParameterBeliefs& before)
    : results_{{}, key.parameters, key.deviation(), key.outlier_share()}, told_(told) {
  results_.candidates.reserve(key.size());
  for (const VariantStatistics& c : key.candidates) results_.candidates.push_back({c.location, c.count});
  beliefs_.hypotheses = before.hypotheses;
  beliefs_.weighed_at = before.weighed_at;
}

void ParameterFit::run() noexcept {
  try {
    fit();
  } catch (...) {
    beliefs_ = {};  // memory is short: nothing is expected of anybody, so that all are looked at
  }
}

void ParameterFit::fit() {
  const std::size_t size = results_.candidates.size();
  Candidates unknown;
  for (std::size_t i = 0; i < size; ++i)
    if (results_.candidates[i].count == 0) unknown.push_back(i);
  beliefs_.doubted.assign(size, false);
  Candidates known = fitted_candidates(told_);
  if (known.empty()) return;

  std::optional<ParameterProcess> process(std::in_place, results_, known, unknown);
  weigh(*process, known.size());
  if (beliefs_.hypotheses.empty()) return;
  if (doubt(*process, known, unknown)) {
    process.emplace(results_, known, unknown);
    beliefs_.weighed_at = 0;
    weigh(*process, known.size());
    if (beliefs_.hypotheses.empty()) return;
  }
  const ParameterProcess::Expected expected = process->expect(beliefs_.hypotheses);
  beliefs_.stranger_share = stranger_share * expected.unexplained * expected.unexplained;
  beliefs_.expected.resize(size);
  for (std::size_t j = 0; j < unknown.size(); ++j) {
    const auto at = static_cast<Eigen::Index>(j);
    beliefs_.expected[unknown[j]] = {expected.mean[at], std::sqrt(expected.variance[at])};
  }
}

// All hypotheses again whenever results are a quarter more, and meanwhile those that were likely.
void ParameterFit::weigh(ParameterProcess& process, std::size_t results) {
  const std::size_t before = beliefs_.weighed_at;
  if (results < before || results >= before + (before + 3) / 4) {
    beliefs_.hypotheses = ParameterProcess::hypotheses();
    beliefs_.weighed_at = results;
  }
  process.weigh(beliefs_.hypotheses);
}

bool ParameterFit::doubt(ParameterProcess& process, Candidates& known, Candidates& unknown) {
  const ParameterProcess::Errors errors = process.leave_one_out(beliefs_.hypotheses);
  Candidates trusted;
  beliefs_.log_likelihood = 0.0;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const auto at = static_cast<Eigen::Index>(i);
    beliefs_.log_likelihood += log_density(errors.above[at], errors.variance[at]);
    const bool doubted = results_.candidates[known[i]].count == 1 &&
                         is_doubtful(results_.outlier_share, errors.above[at], errors.variance[at]);
    if (doubted)
      unknown.push_back(known[i]);
    else
      trusted.push_back(known[i]);
    beliefs_.doubted[known[i]] = doubted;
  }
  std::swap(known, trusted);
  return known.size() < trusted.size();
}

bool ParameterModel::applies(const KeyStatistics& key) noexcept {
  return key.size() >= candidates_min && key.parameters != nullptr && !key.parameters->empty() &&
         key.parameters->coordinates.size() == key.size() * key.parameters->dimensions;
}

bool ParameterModel::is_current(const KeyStatistics& key, bool cold) const noexcept {
  if (told_.size() != key.size()) return false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const double now = tells(key[i], cold) ? key[i].location : VariantStatistics::none;
    const bool was_told = told_[i] == told_[i];
    if ((now == now) != was_told) return false;
    if (std::abs(now - told_[i]) > std::max(moved_min, key.deviation())) return false;
  }
  return true;
}

void ParameterModel::watch(const KeyStatistics& key) noexcept {
  const bool was_stale = is_stale();
  due_ = !is_current(key, key.starts_cold());
  if (due_ && !was_stale) stale_since_ = key.calls;
}

std::unique_ptr<ParameterFit> ParameterModel::start(const KeyStatistics& key) {
  const bool cold = key.starts_cold();
  std::vector<double> told(key.size(), VariantStatistics::none);
  for (std::size_t i = 0; i < key.size(); ++i)
    if (tells(key[i], cold)) told[i] = key[i].location;
  auto fit = std::make_unique<ParameterFit>(key, told, now_);
  told_ = std::move(told);
  due_ = false;
  under_way_ = true;
  return fit;
}

void ParameterModel::adopt(ParameterFit& fit) noexcept {
  std::swap(now_, fit.beliefs_);
  under_way_ = false;
}

double ParameterModel::worth_from(std::size_t candidate, double best) const noexcept {
  const double behind = location(candidate) - best;
  const double gain = expected_gain(behind, deviation(candidate), now_.stranger_share, stranger_deviation);
  return policies::worth_from(gain, behind) / calls_to_come;
}

}  // namespace adaptive::policies
