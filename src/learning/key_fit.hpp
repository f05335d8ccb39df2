// The fit of a model that the policy of a key asks for.
#pragma once

#include <cstdint>
#include <memory>

#include <adaptive/policy.hpp>
#include "learning/worker.hpp"

namespace adaptive::inline v1::core {

class KeyLearner;

/// Belongs to the learner, which posts it to the worker where the policy says that a fit is due.
class KeyFit final : public Worker::Task {
 public:
  explicit KeyFit(KeyLearner& key) noexcept : key_(key) {}

 private:
  Step prepare() noexcept override;
  void work() noexcept override;
  bool finish() noexcept override;
  void abandon() noexcept override;

  KeyLearner& key_;
  std::unique_ptr<Fit> fit_;
  std::uint32_t beginning_ = 0;  // the learner's number of beginnings when the fit was prepared
};

}  // namespace adaptive::core
