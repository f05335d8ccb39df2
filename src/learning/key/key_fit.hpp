// What the worker makes for one key: the fit of a model that the policy asks for, and what the model over all
// keys lets expect.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <adaptive/belief.hpp>
#include <adaptive/policy.hpp>
#include "learning/model/key_expectations.hpp"
#include "learning/model/operation_model.hpp"
#include "learning/worker.hpp"
#include "prior/starting_point.hpp"

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
  std::shared_ptr<const OperationModel> model_;  // null: no expectations are to be made
  std::uint32_t generation_ = 0;                 // of the model
  std::vector<std::uint32_t> candidates_;
  std::vector<float> log_costs_;
  StartingPoint start_;
  bool begins_late_ =
      false;  // whether `start_` is to be the model's, which was not proven when the key began
  std::vector<OwnResult> own_;
  std::shared_ptr<const Expectations> expectations_;
  Belief room_;
  std::uint32_t beginning_ = 0;  // the learner's number of beginnings when the fit was prepared
};

}  // namespace adaptive::core
