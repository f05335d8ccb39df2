#include "learning/model/model_start.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include <adaptive/match.hpp>

namespace adaptive::inline v1::core {

ParameterSpace space_of(std::span<const Variant* const> variants) {
  std::vector<const Parameters*> parameters;
  std::vector<std::string_view> names;
  bool any = false;
  for (const Variant* variant : variants) {
    parameters.push_back(&variant->parameters);
    names.push_back(variant->name);
    any = any || !variant->parameters.empty();
  }
  return any ? parameter_space(parameters) : parameter_space(names);
}

ModelShape model_shape(std::span<const Dimension> dimensions, std::span<const Variant* const> variants) {
  variants = variants.first(std::min(variants.size(), modelled_variants_max));
  ModelShape shape;
  shape.dimensions = dimensions;
  shape.space = space_of(variants);
  for (const Variant* variant : variants) shape.tiles.push_back(tiles_of(*variant, dimensions));
  return shape;
}

void add_measured(std::span<const SeedEntry> seeds, std::vector<MeasuredKey>& keys) {
  std::vector<Key> known;
  for (const MeasuredKey& key : keys) known.push_back(key.key);
  std::sort(known.begin(), known.end());
  for (const SeedEntry& seed : seeds) {
    if (keys.size() >= modelled_keys_max) return;
    if (std::binary_search(known.begin(), known.end(), seed.key)) continue;
    MeasuredKey measured{.key = seed.key, .results = {}, .by_this_process = false};
    const double error = seed.trusted ? trusted_deviation : foreign_deviation;
    for (const SeedVariant& v : seed.variants)
      if (v.count > 0 && v.compared_ns() > 0.0)
        measured.results.push_back({v.variant, std::log(v.compared_ns()), error * error, v.log_cost});
    if (!measured.results.empty()) keys.push_back(std::move(measured));
  }
}

void begin_by_model(StartingPoint& start, const OperationModel& model, const Key& key,
                    std::span<const std::uint32_t> candidates, std::span<const float> log_costs) {
  start.first_look = static_cast<std::uint32_t>(model.decide(key, candidates, log_costs));
  if (!model.proven()) return;
  // A variant may have been added since the key began.
  start.prior_count.resize(candidates.size(), 0);
  start.set_aside.resize(candidates.size(), false);
  start.candidate = static_cast<std::uint32_t>(model.fastest(key, candidates, log_costs));
  start.prior = model.expected(key, candidates, log_costs);
  start.prior_deviation.assign(candidates.size(), model.prediction_error());
  start.prior_offset_deviation = model.level_error();
  start.match.kind = MatchKind::predicted;
  start.match.deviation = model.prediction_error();
  start.source = std::to_string(model.keys()) + " known keys";
}

}  // namespace adaptive::core
