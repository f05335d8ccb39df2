#include "operation/prior_knowledge.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <utility>

#include "base/device/processors.hpp"
#include "learning/prediction/parameter_space.hpp"
#include "prior/distance.hpp"

namespace adaptive::inline v1::core {
namespace {

// Number of the latest keys of this run from which a new key may borrow before the model that keys share has
// been fitted: soon after the first result.
constexpr std::size_t neighbours_of_model_max = 64;

// Number of the latest keys of this run to which the predictor is fitted, besides the keys of tables. This
// bounds the cost of a fit.
constexpr std::size_t run_keys_max = 1024;

// A fit is due when the number of measured variants has grown by this share. The total cost of all fits then
// grows with the logarithm of the length of the run.
constexpr double growth = 0.1;

// Variants that the model of all keys knows: the first of an operation. Further ones are expected to be like
// the others.
constexpr std::uint32_t modelled_variants_max = 1024;

std::size_t count_measured_variants(const KeyStatistics& statistics) {
  return static_cast<std::size_t>(std::count_if(statistics.candidates.begin(), statistics.candidates.end(),
                                                [](const VariantStatistics& c) { return c.count > 0; }));
}

}  // namespace

KnownKey known_key(const SeedEntry& seed) {
  return {seed.key, seed.trusted ? 0.0 : foreign_deviation, seed.variants};
}

std::vector<Neighbour> PriorKnowledge::neighbours_of(const Key& key, std::size_t count) const {
  std::vector<Neighbour> result;
  if (operation_.selector.rank_consistent) return result;
  for (const auto& other : keys_.latest(count)) {
    if (other->key() == key) continue;
    if (!(distance(spec_.dimensions, key, other->key()) <= spec_.nearest_limit)) continue;
    if (!other->lock().try_lock()) continue;
    const std::lock_guard lock(other->lock(), std::adopt_lock);
    const KeyStatistics& s = other->statistics();
    if (s.results > 0)
      result.push_back({other->key(), other->variant_of(s.leader()), measured(s)});
    else if (!other->inherited().empty())
      result.push_back({other->key(), other->variant_of(s.incumbent), other->inherited()});
  }
  return result;
}

StartingPoint PriorKnowledge::start_again(const KeyLearner& key,
                                          std::span<const Neighbour> neighbours) const {
  std::vector<std::uint32_t> candidates;
  std::uint32_t fallback = 0;
  for (const VariantStatistics& c : key.statistics().candidates) {
    if (c.variant == key.default_variant()) fallback = static_cast<std::uint32_t>(candidates.size());
    candidates.push_back(c.variant);
  }
  return starting_point(
      {spec_.dimensions, key.key(), spec_.nearest_limit, candidates, fallback, predictor(), proof()}, seeds_,
      neighbours);
}

StartingPoint PriorKnowledge::start_of_refused(const Key& key, const Candidates& candidates) const {
  // Does not borrow from near keys: if very many keys come in turns, searching the near keys again each time
  // would cost too much.
  constexpr double never_borrow = -1.0;
  return starting_point(
      {spec_.dimensions, key, never_borrow, candidates.variants, candidates.fallback, nullptr, proof()},
      seeds_, {});
}

StartingPoint PriorKnowledge::start_of(const Key& key, Candidates& candidates, bool by_model) const {
  const std::size_t most = operation_.selector.learning.candidates_max;
  // The most promising few are those of a near key or a table. Ranks meet keys in an order of their own, and
  // each fits the model at a time of its own.
  const bool may_ask_model = most == 0 && spec_.nearest_limit >= 0.0 && !operation_.selector.rank_consistent;
  const std::shared_ptr<const OperationModel> model =
      may_ask_model ? operation_.shared_model.model() : nullptr;
  const bool modelled = model != nullptr && model->fitted() && (by_model || model->proven());
  StartingRequest request{.dimensions = spec_.dimensions,
                          .key = key,
                          .nearest_limit = spec_.nearest_limit,
                          .candidates = candidates.variants,
                          .fallback = candidates.fallback,
                          .predictor = by_model ? nullptr : predictor(),
                          .proof = proof(),
                          .without_neighbours = modelled && model->keys() > 1};
  const std::vector<Neighbour> neighbours = request.without_neighbours ? std::vector<Neighbour>()
                                            : by_model ? neighbours_of(key, neighbours_of_model_max)
                                                       : neighbours_of(key);
  StartingPoint start = starting_point(request, seeds_, neighbours);
  // A near key says as much as a model of one key.
  if (modelled && start.match.kind == MatchKind::fallback) {
    begin_by_model(start, *model, key, candidates);
    return start;
  }
  const auto priors = std::count_if(start.prior.begin(), start.prior.end(), [](double p) { return p == p; });
  if (most == 0 || candidates.variants.size() <= most || priors == 0) return start;

  // Only the most promising variants are explored. The starting variant and the default are always kept.
  std::vector<std::uint32_t> order(candidates.variants.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto rank = [&](std::uint32_t i) {
    if (i == start.candidate || i == candidates.fallback) return -1e9;
    return start.prior[i] == start.prior[i] ? start.prior[i] : 1e9;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
  order.resize(std::max<std::size_t>(most, 2));
  std::sort(order.begin(), order.end());
  Candidates kept;
  kept.can_run = candidates.can_run;
  kept.unsupported = candidates.unsupported;
  for (const std::uint32_t i : order) {
    if (i == candidates.fallback) kept.fallback = static_cast<std::uint32_t>(kept.variants.size());
    kept.variants.push_back(candidates.variants[i]);
    if (!candidates.log_costs.empty()) kept.log_costs.push_back(candidates.log_costs[i]);
  }
  candidates = std::move(kept);
  request.candidates = candidates.variants;
  request.fallback = candidates.fallback;
  return starting_point(request, seeds_, neighbours);
}

// The model decides which candidate is launched first. Once it is proven, what it expects to be the fastest
// is the incumbent.
void PriorKnowledge::begin_by_model(StartingPoint& start, const OperationModel& model, const Key& key,
                                    const Candidates& candidates) {
  start.first_look = static_cast<std::uint32_t>(model.decide(key, candidates.variants, candidates.log_costs));
  if (!model.proven()) return;
  start.candidate = static_cast<std::uint32_t>(model.fastest(key, candidates.variants, candidates.log_costs));
  start.prior = model.expected(key, candidates.variants, candidates.log_costs);
  start.prior_deviation.assign(candidates.variants.size(), model.own_error());
  start.prior_offset_deviation = model.level_error();
  start.match.kind = MatchKind::predicted;
  start.match.deviation = model.own_error();
  start.source = std::to_string(model.keys()) + " known keys";
}

std::shared_ptr<const ParameterSpace> PriorKnowledge::parameters_of(
    std::span<const std::uint32_t> candidates) {
  if (!operation_.selector.learning.parameter_model) return nullptr;
  if (!std::equal(candidates.begin(), candidates.end(), latest_candidates_.begin(),
                  latest_candidates_.end())) {
    latest_space_ = make_space(candidates);
    latest_candidates_.assign(candidates.begin(), candidates.end());
  }
  return latest_space_;
}

std::shared_ptr<const Expectations> PriorKnowledge::expectations_of(
    std::span<const std::uint32_t> candidates) {
  std::shared_ptr<const OperationModel> shared = operation_.shared_model.model();
  if (shared == nullptr) {
    shared = model();
    if (const std::size_t told = count_measured(); told > 0)
      operation_.shared_model.note_news(static_cast<std::uint32_t>(4 * told), operation_.selector.worker);
  }
  if (!std::equal(candidates.begin(), candidates.end(), latest_expected_.begin(), latest_expected_.end())) {
    latest_expectations_ = std::make_shared<const Expectations>(shared->usual_expectations(candidates));
    latest_expected_.assign(candidates.begin(), candidates.end());
  }
  return latest_expectations_;
}

std::shared_ptr<const OperationModel> PriorKnowledge::model() {
  std::shared_ptr<const OperationModel> model = operation_.shared_model.model();
  if (model != nullptr) return model;
  model = std::make_shared<const OperationModel>(model_shape());
  std::shared_ptr<const OperationModel> published = model;
  operation_.shared_model.fit_by(model_fit_);
  operation_.shared_model.publish(published);
  return model;
}

ModelFit::Input PriorKnowledge::model_input() {
  ModelFit::Input input;
  input.former = model();
  input.shape = model_shape();
  input.keys = measured_keys(input.noise);
  if (!operation_.selector.rank_consistent) input.passing = operation_.passing.results();
  return input;
}

// Does nothing where no policy has asked for expectations yet: `expectations_of` makes the first fit due.
void PriorKnowledge::fit_model() {
  if (operation_.selector.rank_consistent || operation_.shared_model.model() == nullptr) return;
  ModelFit::Input input;
  {
    const std::lock_guard lock(locks_.keys_and_seeds);
    if (count_measured() == 0) return;
    input = model_input();
  }
  // The fit runs without the lock, because new keys need it.
  std::shared_ptr<const OperationModel> fitted = ModelFit::fitted(input);
  operation_.shared_model.publish(fitted);
}

ModelShape PriorKnowledge::model_shape() const {
  std::vector<std::uint32_t> all(std::min(operation_.variants.size(), modelled_variants_max));
  std::iota(all.begin(), all.end(), 0U);
  ModelShape shape;
  shape.dimensions = spec_.dimensions;
  shape.multiprocessors = processors_of(operation_.selector.device);
  shape.estimated = static_cast<bool>(spec_.cost);
  shape.predicts = operation_.selector.learning.prediction && spec_.nearest_limit >= 0.0;
  const bool alike = operation_.selector.learning.parameter_model;
  if (const auto space = alike ? make_space(all) : nullptr) shape.space = *space;
  for (const std::uint32_t variant : all)
    shape.tiles.push_back(alike ? tiles_of(operation_.variants[variant].spec, spec_.dimensions)
                                : Tiles(spec_.dimensions.size(), 0.0));
  shape.seed = operation_.selector.seed + operation_.shared_model.generation();
  return shape;
}

std::vector<MeasuredKey> PriorKnowledge::measured_keys(NoiseLaw& noise) const {
  std::vector<MeasuredKey> known;
  KeyStatistics::Scatter sum;
  for (const auto& key : keys_to_fit()) {
    const std::lock_guard lock(key->lock());
    const KeyStatistics& s = key->statistics();
    const KeyStatistics::Scatter scatter = s.scatter();
    sum.squares += scatter.squares;
    sum.freedom += scatter.freedom;
    sum.exposed += scatter.exposed;
    for (std::size_t i = 0; i < sum.late.size(); ++i) sum.late[i] += scatter.late[i];
    sum.repeated += scatter.repeated;
    sum.predicted += scatter.predicted;
    sum.strange += scatter.strange;
    MeasuredKey measured{.key = key->key(), .results = {}, .by_this_process = s.results > 0};
    const double variance = s.deviation() * s.deviation();
    const bool told = key->start().trusted;
    for (std::size_t i = 0; i < s.size(); ++i) {
      const VariantStatistics& c = s[i];
      const float log_cost = key->log_costs().empty() ? 0.0F : key->log_costs()[i];
      if (c.count > 0)
        measured.results.push_back(
            {c.variant, c.own_location(), variance / static_cast<double>(c.count), log_cost});
      else if (told && c.has_prior())
        measured.results.push_back({c.variant, c.prior, c.prior_deviation * c.prior_deviation, log_cost});
    }
    if (!measured.results.empty()) known.push_back(std::move(measured));
  }
  noise = KeyStatistics::law_of(sum);
  std::vector<Key> learned;
  for (const MeasuredKey& k : known) learned.push_back(k.key);
  std::sort(learned.begin(), learned.end());
  for (const SeedEntry& seed : seeds_.entries()) {
    if (known.size() == run_keys_max) break;
    if (std::binary_search(learned.begin(), learned.end(), seed.key)) continue;
    MeasuredKey measured{.key = seed.key, .results = {}, .by_this_process = false};
    const double error = seed.trusted ? trusted_deviation : foreign_deviation;
    for (const SeedVariant& v : seed.variants)
      if (v.count > 0 && v.compared_ns() > 0.0)
        measured.results.push_back({v.variant, std::log(v.compared_ns()), error * error, v.log_cost});
    if (!measured.results.empty()) known.push_back(std::move(measured));
  }
  return known;
}

std::shared_ptr<const ParameterSpace> PriorKnowledge::make_space(
    std::span<const std::uint32_t> candidates) const {
  std::vector<const Parameters*> parameters;
  std::vector<std::string_view> names;
  bool any = false;
  for (const std::uint32_t candidate : candidates) {
    const Variant& variant = operation_.variants[candidate].spec;
    parameters.push_back(&variant.parameters);
    names.push_back(variant.name);
    any = any || !variant.parameters.empty();
  }
  ParameterSpace space = any ? parameter_space(parameters) : parameter_space(names);
  return space.empty() ? nullptr : std::make_shared<const ParameterSpace>(std::move(space));
}

std::span<const std::unique_ptr<KeyLearner>> PriorKnowledge::keys_to_fit() const noexcept {
  // If ranks have to agree, results of this run must not be used, since they differ between ranks.
  return keys_.latest(operation_.selector.rank_consistent ? 0 : run_keys_max);
}

std::vector<KnownKey> PriorKnowledge::known_keys() const {
  std::vector<KnownKey> known;
  for (const auto& key : keys_to_fit()) {
    const std::lock_guard lock(key->lock());
    if (!key->inherited().empty()) {
      known.push_back({key->key(), 0.0, key->inherited()});
      continue;
    }
    // The key's own table entry is more reliable than a few results of this run.
    if (key->statistics().results == 0 || key->start().trusted) continue;
    known.push_back({key->key(), 0.0, measured(key->statistics())});
  }
  std::vector<Key> learned;
  for (const KnownKey& k : known) learned.push_back(k.key);
  std::sort(learned.begin(), learned.end());
  for (const SeedEntry& seed : seeds_.entries())
    if (!std::binary_search(learned.begin(), learned.end(), seed.key)) known.push_back(known_key(seed));
  return known;
}

std::size_t PriorKnowledge::count_measured() const {
  std::size_t sum = 0;
  for (const SeedEntry& seed : seeds_.entries()) sum += seed.variants.size();
  for (const auto& key : keys_to_fit()) {
    const std::lock_guard lock(key->lock());
    sum += std::max(count_measured_variants(key->statistics()), key->inherited().size());
  }
  return sum;
}

std::uint64_t PriorKnowledge::begin_fit(std::vector<KnownKey>& known) {
  known = known_keys();
  measured_at_fit_ = count_measured();
  return ++fits_begun_;
}

void PriorKnowledge::adopt(std::unique_ptr<Predictor>& fitted, std::uint64_t number) noexcept {
  if (number < fit_in_use_) return;
  fit_in_use_ = number;
  predictor_.swap(fitted);
}

bool PriorKnowledge::is_fit_due() const {
  return static_cast<double>(count_measured()) > (1.0 + growth) * static_cast<double>(measured_at_fit_);
}

void PriorKnowledge::fit() {
  fit_model();
  if (operation_.selector.predictor == nullptr) return;
  std::vector<KnownKey> known;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(locks_.keys_and_seeds);
    number = begin_fit(known);
  }
  // The fit runs without the lock, because new keys need it.
  std::unique_ptr<Predictor> fitted = operation_.selector.predictor();
  fitted->fit(spec_.dimensions, known);
  const std::lock_guard lock(locks_.keys_and_seeds);
  adopt(fitted, number);
}

void PriorKnowledge::post_fit() noexcept {
  if (operation_.selector.predictor != nullptr) operation_.selector.worker.post(prediction_fit_);
}

}  // namespace adaptive::core
