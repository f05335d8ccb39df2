// How the model over all keys learns from tables, and how a key without a table or neighbour starts from the
// model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/key.hpp>
#include <adaptive/variant.hpp>

#include "learning/model/operation_model.hpp"
#include "learning/model/parameter_space.hpp"
#include "prior/seed.hpp"
#include "prior/starting_point.hpp"

namespace adaptive::inline v1::core {

/// Maximum number of variants that a model knows, the first ones of the operation. Nothing particular is
/// expected of further variants.
constexpr std::size_t modelled_variants_max = 1024;
/// Maximum number of keys that a model learns from, which bounds the time of a fit.
constexpr std::size_t modelled_keys_max = 1024;

/// The space of the variants' parameters or, if no variant has parameters, of the numbers in their names.
/// Empty if neither distinguishes the variants.
ParameterSpace space_of(std::span<const Variant* const> variants);

/// The dimensions, the space and the tiles of an operation with these variants, of which the model knows the
/// first `modelled_variants_max`.
ModelShape model_shape(std::span<const Dimension> dimensions, std::span<const Variant* const> variants);

/// Appends the keys that tables have measured and that `keys` does not contain yet, up to `modelled_keys_max`
/// in all.
void add_measured(std::span<const SeedEntry> seeds, std::vector<MeasuredKey>& keys);

/// Lets the model decide which candidate a key launches first. If the model is proven, the candidate that it
/// expects to be the fastest also becomes the incumbent, and its expectations become the candidates' priors.
/// `log_costs`: natural logarithms of the program's estimates for the candidates; empty without estimates.
void begin_by_model(StartingPoint& start, const OperationModel& model, const Key& key,
                    std::span<const std::uint32_t> candidates, std::span<const float> log_costs);

}  // namespace adaptive::core
