// How the model over all keys is made from tables, and what it says of a key that nothing else is known of.
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

/// Variants that a model knows: the first of an operation. Further ones are expected to be like the others.
constexpr std::size_t modelled_variants_max = 1024;
/// Keys that a model learns from. This bounds the cost of a fit.
constexpr std::size_t modelled_keys_max = 1024;

/// The space of the variants' parameters, or of the numbers in their names where none of them has parameters.
/// Empty if neither distinguishes them.
ParameterSpace space_of(std::span<const Variant* const> variants);

/// The dimensions, the space and the tiles of an operation with these variants, of which the model knows the
/// first `modelled_variants_max`.
ModelShape model_shape(std::span<const Dimension> dimensions, std::span<const Variant* const> variants);

/// Appends what tables have measured, but for keys that `keys` has already, up to `modelled_keys_max`.
void add_measured(std::span<const SeedEntry> seeds, std::vector<MeasuredKey>& keys);

/// Lets the model decide which candidate a key launches first. If the model is proven, the candidate that it
/// expects to be the fastest becomes the incumbent, and what it expects of the others their priors.
/// `log_costs`: of the candidates, by the program's estimate; empty without one.
void begin_by_model(StartingPoint& start, const OperationModel& model, const Key& key,
                    std::span<const std::uint32_t> candidates, std::span<const float> log_costs);

}  // namespace adaptive::core
