#include "operation/prediction_fit.hpp"

#include <memory>
#include <mutex>

#include "operation/prior_knowledge.hpp"

namespace adaptive::inline v1::core {

Worker::Task::Step PredictionFit::prepare() noexcept {
  const std::unique_lock lock(prior_.locks_.keys_and_seeds, std::try_to_lock);
  if (!lock.owns_lock()) return Step::later;
  for (const auto& key : prior_.keys_.keys()) {
    key->take_over();
    // In a forked child, a lock that another thread of the parent held is never released.
    if (!key->is_own()) return Step::done;
  }
  try {
    if (!prior_.is_fit_due()) return Step::done;
    number_ = prior_.begin_fit(known_);
    return Step::work;
  } catch (...) {
    return Step::done;  // out of memory: the former predictor stays until the next save
  }
}

void PredictionFit::work() noexcept {
  try {
    fitted_ = prior_.operation_.selector.predictor();
    fitted_->fit(prior_.spec_.dimensions, known_);
  } catch (...) {
    fitted_ = nullptr;  // out of memory, as above
  }
  known_.clear();
}

bool PredictionFit::finish() noexcept {
  if (fitted_ == nullptr) return true;
  {
    const std::unique_lock lock(prior_.locks_.keys_and_seeds, std::try_to_lock);
    if (!lock.owns_lock()) return false;
    prior_.adopt(fitted_, number_);
  }
  fitted_ = nullptr;
  return true;
}

void PredictionFit::abandon() noexcept {
  static_cast<void>(fitted_.release());
  std::construct_at(&known_);
}

}  // namespace adaptive::core
