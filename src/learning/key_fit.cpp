#include "learning/key_fit.hpp"

#include <mutex>

#include "learning/key_learner.hpp"

namespace adaptive::inline v1::core {

Worker::Task::Step KeyFit::prepare() noexcept {
  // In a forked child the lock may stay taken for ever, and the key is to begin anew with another policy.
  if (!key_.is_own()) return Step::done;
  try {
    const std::lock_guard lock(key_.lock_);
    beginning_ = key_.beginnings_;
    fit_ = key_.policy_->start_fit(key_.statistics_);
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
    const std::lock_guard lock(key_.lock_);
    // A key that has begun anew meanwhile has another policy, which has not asked for this fit.
    if (key_.beginnings_ == beginning_) {
      key_.policy_->adopt(*fit_, key_.statistics_);
      key_.publish_plan();
      if (key_.policy_->fit_due()) key_.operation_.selector.worker.post(*this);
    }
  }
  fit_ = nullptr;  // without the key's lock: the fit holds what the policy had before
  return true;
}

void KeyFit::abandon() noexcept {
  static_cast<void>(fit_.release());
}

}  // namespace adaptive::core
