// What the core asks of a model that predicts keys it has not seen. policies/prediction.* is the one in use.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/key.hpp>
#include <adaptive/statistics.hpp>
#include <adaptive/variant.hpp>
#include "prior/seed.hpp"

namespace adaptive::inline v1::core {

/// A key whose variants have been measured, by a table or in this run.
struct KnownKey {
  Key key;
  /// Of the logarithm of each latency, besides that of its mean: what another device or driver adds.
  double deviation = 0.0;
  std::vector<SeedVariant> variants;
};

/// What a table's entry knows. One of another device or other software compares its variants otherwise.
KnownKey known_key(const SeedEntry& seed);

/// What is believed of a key before its first call, parallel to the candidates asked for.
struct Prediction {
  struct Candidate {
    /// Log latency; none where the model knows nothing of the variant.
    double location = VariantStatistics::none;
    /// Of the error of `location`, besides what is common to all candidates.
    double deviation = VariantStatistics::none;
    std::array<double, VariantStatistics::prior_factors> loadings{};
    std::uint64_t count = 0;  ///< results behind it
  };
  std::vector<Candidate> candidates;
  std::size_t keys = 0;           ///< that it is made of
  double offset_deviation = 0.0;  ///< of the error that is common to all candidates
  double deviation = 0.0;         ///< median over the candidates that are predicted
};

class Predictor {
 public:
  Predictor() = default;
  Predictor(const Predictor&) = delete;
  Predictor& operator=(const Predictor&) = delete;
  virtual ~Predictor() = default;

  /// Learns from `keys` alone: what was fitted before is forgotten. May throw for want of memory.
  virtual void fit(std::span<const Dimension> dimensions, std::span<const KnownKey> keys) = 0;

  /// False where the keys fitted say nothing of `key`. `candidates` are variants of the operation.
  virtual bool predict(const Key& key, std::span<const std::uint32_t> candidates,
                       Prediction& prediction) const = 0;
};

using PredictorFactory = std::unique_ptr<Predictor> (*)();

}  // namespace adaptive::core
