// Fits the model that predicts the keys of an operation.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "learning/worker.hpp"
#include "prior/predictor.hpp"

namespace adaptive::inline v1::core {

class PriorKnowledge;

/// Fits the model to what the tables and this run know. Owned by `PriorKnowledge`, which posts it to the
/// worker.
class PredictionFit final : public Worker::Task {
 public:
  explicit PredictionFit(PriorKnowledge& prior) noexcept : prior_(prior) {}

 private:
  Step prepare() noexcept override;
  void work() noexcept override;
  bool finish() noexcept override;
  void abandon() noexcept override;

  PriorKnowledge& prior_;
  std::vector<KnownKey> known_;
  std::uint64_t number_ = 0;
  std::unique_ptr<Predictor> fitted_;
};

}  // namespace adaptive::core
