// What the worker thread fits for an operation: the policies' models of keys, and the model that predicts
// keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include <adaptive/policy.hpp>
#include "learning/worker.hpp"
#include "prior/predictor.hpp"

namespace adaptive::inline v1::core {

class OperationState;
struct KeyState;

/// The fit that the policy of a key asks for.
class KeyFit final : public Worker::Task {
 public:
  KeyFit(OperationState& operation, KeyState& key) noexcept : operation_(operation), key_(key) {}

 private:
  Step prepare() noexcept override;
  void work() noexcept override;
  bool finish() noexcept override;
  void abandon() noexcept override;

  OperationState& operation_;
  KeyState& key_;
  std::unique_ptr<Fit> fit_;
  std::uint32_t beginning_ = 0;  // `KeyState::beginnings` when it was prepared
};

/// The fit of predictions to what tables and this run know.
class PredictionFit final : public Worker::Task {
 public:
  explicit PredictionFit(OperationState& operation) noexcept : operation_(operation) {}

 private:
  Step prepare() noexcept override;
  void work() noexcept override;
  bool finish() noexcept override;
  void abandon() noexcept override;

  OperationState& operation_;
  std::vector<KnownKey> known_;
  std::uint64_t number_ = 0;
  std::unique_ptr<Predictor> fitted_;
};

}  // namespace adaptive::core
