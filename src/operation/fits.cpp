#include "operation/fits.hpp"

#include <memory>
#include <mutex>

#include "operation/operation_state.hpp"

namespace adaptive::inline v1::core {

Worker::Task::Step KeyFit::prepare() noexcept {
  // In a forked child: the lock may be taken for ever, and the key is to begin anew with another policy.
  if (!OperationState::is_own(key_)) return Step::done;
  try {
    const std::lock_guard lock(key_.lock);
    beginning_ = key_.beginnings;
    fit_ = key_.policy->start_fit(key_.statistics);
  } catch (...) {
    fit_ = nullptr;  // memory is short: the policy asks again at the next call that is put to it
  }
  return fit_ == nullptr ? Step::done : Step::work;
}

void KeyFit::work() noexcept {
  fit_->run();
}

bool KeyFit::finish() noexcept {
  {
    const std::lock_guard lock(key_.lock);
    // Where the key has begun anew meanwhile it has another policy, which has not asked for this fit.
    if (key_.beginnings == beginning_) {
      key_.policy->adopt(*fit_, key_.statistics);
      operation_.publish(key_);
      if (key_.policy->fit_due()) operation_.shared_.worker.post(*this);
    }
  }
  fit_ = nullptr;  // without the key's lock: it holds what the policy had before
  return true;
}

void KeyFit::abandon() noexcept {
  static_cast<void>(fit_.release());
}

Worker::Task::Step PredictionFit::prepare() noexcept {
  const std::unique_lock lock(operation_.admin_, std::try_to_lock);
  if (!lock.owns_lock()) return Step::later;
  for (const auto& key : operation_.keys_) {
    operation_.take_over(*key);
    // In a forked child: a lock that another thread of the parent held stays taken.
    if (!OperationState::is_own(*key)) return Step::done;
  }
  try {
    if (!operation_.prediction_due()) return Step::done;
    number_ = operation_.begin_fit(known_);
    return Step::work;
  } catch (...) {
    return Step::done;  // memory is short: the former predictor stays until the next save
  }
}

void PredictionFit::work() noexcept {
  try {
    fitted_ = operation_.shared_.predictor();
    fitted_->fit(operation_.spec_.dimensions, known_);
  } catch (...) {
    fitted_ = nullptr;  // as above
  }
  known_.clear();
}

bool PredictionFit::finish() noexcept {
  if (fitted_ == nullptr) return true;
  {
    const std::unique_lock lock(operation_.admin_, std::try_to_lock);
    if (!lock.owns_lock()) return false;
    operation_.take(fitted_, number_);
  }
  fitted_ = nullptr;
  return true;
}

void PredictionFit::abandon() noexcept {
  static_cast<void>(fitted_.release());
  std::construct_at(&known_);
}

}  // namespace adaptive::core
