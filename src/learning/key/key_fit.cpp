#include "learning/key/key_fit.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "learning/key/key_learner.hpp"
#include "learning/model/model_start.hpp"

namespace adaptive::inline v1::core {

Worker::Task::Step KeyFit::prepare() noexcept {
  // In a forked child the lock may stay taken for ever. The key's next call makes it begin anew, with another
  // policy.
  if (!key_.is_own()) return Step::done;
  const SharedModel& shared = key_.operation_.shared_model;
  try {
    const std::uint32_t generation = shared.steps();
    std::shared_ptr<const OperationModel> model = shared.model();
    const std::lock_guard lock(key_.lock_);
    beginning_ = key_.beginnings_;
    if (key_.policy_->fit_due()) fit_ = key_.policy_->start_fit(key_.statistics_);
    if (model != nullptr && key_.are_expectations_due()) {
      candidates_.clear();
      for (const VariantStatistics& c : key_.statistics_.candidates) candidates_.push_back(c.variant);
      log_costs_ = key_.log_costs_;
      start_ = key_.start_;
      begins_late_ = model->proven() && key_.waits_for_model();
      own_ = own_results(key_.statistics_);
      generation_ = generation;
      model_ = std::move(model);
    }
  } catch (...) {
    // Out of memory: the next call that consults the policy asks for the fit again.
    fit_ = nullptr;
    model_ = nullptr;
  }
  return fit_ == nullptr && model_ == nullptr ? Step::done : Step::work;
}

void KeyFit::work() noexcept {
  if (fit_ != nullptr) fit_->run();
  if (model_ == nullptr) return;
  try {
    if (begins_late_) begin_by_model(start_, *model_, key_.key(), candidates_, log_costs_);
    expectations_ = std::make_shared<const Expectations>(
        with_priors(model_->expectations(key_.key(), candidates_, log_costs_), start_, own_));
    room_.prepare(candidates_.size());
  } catch (...) {
    expectations_ = nullptr;  // out of memory, as above
  }
}

bool KeyFit::finish() noexcept {
  {
    const std::lock_guard lock(key_.lock_);
    // If the key has begun anew meanwhile, it has another policy, which has not asked for this fit.
    if (key_.beginnings_ == beginning_) {
      if (fit_ != nullptr) key_.policy_->adopt(*fit_, key_.statistics_);
      if (expectations_ != nullptr && candidates_.size() == key_.statistics_.size()) {
        key_.statistics_.expect(expectations_, room_);
        key_.expected_generation_ = generation_;
        key_.expected_results_ = own_.size();
        if (begins_late_ && key_.waits_for_model()) key_.begin_late(std::move(start_));
      }
      key_.publish_plan();
      if (key_.is_fit_due()) key_.operation_.selector.worker.post(*this);
    }
  }
  // Destroy the former state, which `adopt` and `expect` have swapped in here, without the key's lock.
  fit_ = nullptr;
  expectations_ = nullptr;
  model_ = nullptr;
  return true;
}

void KeyFit::abandon() noexcept {
  static_cast<void>(fit_.release());
  std::construct_at(&model_);
  std::construct_at(&candidates_);
  std::construct_at(&log_costs_);
  std::construct_at(&start_);
  std::construct_at(&own_);
  std::construct_at(&expectations_);
  std::construct_at(&room_);
}

}  // namespace adaptive::core
