#include "operation/prior_knowledge.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/device/processors.hpp"
#include "learning/model/model_start.hpp"
#include "prior/distance.hpp"

namespace adaptive::inline v1::core {
namespace {

// Number of the latest keys of this run from which a new key may borrow until the model that the keys share
// has been fitted, which happens soon after the first result.
constexpr std::size_t neighbours_of_model_max = 64;

std::size_t count_measured_variants(const KeyStatistics& statistics) {
  return static_cast<std::size_t>(std::count_if(statistics.candidates.begin(), statistics.candidates.end(),
                                                [](const VariantStatistics& c) { return c.count > 0; }));
}

}  // namespace

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

std::shared_ptr<const OperationModel> PriorKnowledge::model_to_ask(const Key& key, bool unproven) const {
  if (spec_.nearest_limit < 0.0) return nullptr;
  std::shared_ptr<const OperationModel> model = operation_.shared_model.model();
  return model != nullptr && model->speaks_of(key) && (unproven || model->proven()) ? model : nullptr;
}

StartingPoint PriorKnowledge::begin(const Key& key, const Candidates& candidates,
                                    std::span<const Neighbour> neighbours,
                                    const OperationModel* model) const {
  StartingPoint start = starting_point({.dimensions = spec_.dimensions,
                                        .key = key,
                                        .nearest_limit = spec_.nearest_limit,
                                        .candidates = candidates.variants,
                                        .fallback = candidates.fallback,
                                        .proof = proof(),
                                        .exact_only = model != nullptr && model->proven()},
                                       seeds_, neighbours);
  if (model == nullptr || start.match.kind != MatchKind::fallback) return start;
  begin_by_model(start, *model, key, candidates.variants, candidates.log_costs);
  // If ranks have to agree, the first launch must not depend on a random draw.
  if (operation_.selector.rank_consistent) start.first_look.reset();
  return start;
}

StartingPoint PriorKnowledge::start_again(const KeyLearner& key,
                                          std::span<const Neighbour> neighbours) const {
  Candidates candidates;
  for (const VariantStatistics& c : key.statistics().candidates) {
    if (c.variant == key.default_variant())
      candidates.fallback = static_cast<std::uint32_t>(candidates.variants.size());
    candidates.variants.push_back(c.variant);
  }
  candidates.log_costs.assign(key.log_costs().begin(), key.log_costs().end());
  return begin(key.key(), candidates, neighbours, model_to_ask(key.key(), false).get());
}

StartingPoint PriorKnowledge::start_of_refused(const Key& key, const Candidates& candidates) const {
  // Does not borrow from near keys: if very many keys come in turns, searching the near keys again each time
  // would cost too much.
  constexpr double never_borrow = -1.0;
  return starting_point({.dimensions = spec_.dimensions,
                         .key = key,
                         .nearest_limit = never_borrow,
                         .candidates = candidates.variants,
                         .fallback = candidates.fallback,
                         .proof = proof()},
                        seeds_, {});
}

StartingPoint PriorKnowledge::start_of(const Key& key, Candidates& candidates, bool by_model) const {
  const std::size_t most = operation_.selector.learning.candidates_max;
  // If the number of candidates is limited, only a table, a near key or a proven model may select them.
  const std::shared_ptr<const OperationModel> model =
      model_to_ask(key, by_model && most == 0 && !operation_.selector.rank_consistent);
  std::vector<Neighbour> neighbours;
  if (model == nullptr) neighbours = neighbours_of(key, by_model ? neighbours_of_model_max : neighbours_max);
  StartingPoint start = begin(key, candidates, neighbours, model.get());
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
  return begin(key, candidates, neighbours, model.get());
}

std::shared_ptr<const Expectations> PriorKnowledge::expectations_of(
    std::span<const std::uint32_t> candidates) {
  const std::shared_ptr<const OperationModel> shared = model();
  operation_.shared_model.learn();
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

void PriorKnowledge::fit() {
  ModelFit::Input input;
  {
    const std::lock_guard lock(locks_.keys_and_seeds);
    const std::size_t told = count_measured();
    if (told == 0) return;
    input = model_input();
    // Ranks have loaded the same tables, but may have fitted other models before: start from none.
    if (operation_.selector.rank_consistent)
      input.former = std::make_shared<const OperationModel>(input.shape);
    operation_.shared_model.note_told(told);
  }
  // The fit runs without the lock, because new keys need it.
  std::shared_ptr<const OperationModel> fitted = ModelFit::fitted(input);
  operation_.shared_model.publish(fitted);
}

ModelShape PriorKnowledge::model_shape() const {
  std::vector<const Variant*> variants;
  for (std::uint32_t v = 0; v < std::min<std::size_t>(operation_.variants.size(), modelled_variants_max); ++v)
    variants.push_back(&operation_.variants[v].spec);
  ModelShape shape = core::model_shape(spec_.dimensions, variants);
  if (!operation_.selector.learning.parameter_model) {
    shape.space = {};
    for (Tiles& tiles : shape.tiles) tiles.assign(spec_.dimensions.size(), 0.0);
  }
  shape.multiprocessors = processors_of(operation_.selector.device);
  shape.estimated = static_cast<bool>(spec_.cost);
  shape.nearest_limit = spec_.nearest_limit;
  shape.predicts = operation_.selector.learning.prediction && spec_.nearest_limit >= 0.0;
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
  add_measured(seeds_.entries(), known);
  return known;
}

std::span<const std::unique_ptr<KeyLearner>> PriorKnowledge::keys_to_fit() const noexcept {
  // If ranks have to agree, results of this run must not be used, since they differ between ranks.
  return keys_.latest(operation_.selector.rank_consistent ? 0 : modelled_keys_max);
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

}  // namespace adaptive::core
