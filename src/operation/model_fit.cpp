#include "operation/model_fit.hpp"

#include <memory>
#include <mutex>
#include <utility>

#include "operation/prior_knowledge.hpp"

namespace adaptive::inline v1::core {
namespace {

// Keys whose expectations are made anew with the model; further ones ask for theirs at their next call.
constexpr std::size_t open_max = 64;

}  // namespace

Worker::Task::Step ModelFit::prepare() noexcept {
  const std::unique_lock lock(prior_.locks_.keys_and_seeds, std::try_to_lock);
  if (!lock.owns_lock()) return Step::later;
  for (const auto& key : prior_.keys_.keys()) {
    key->take_over();
    // In a forked child a lock that another thread of the parent held stays taken.
    if (!key->is_own()) return Step::done;
  }
  SharedModel& shared = prior_.operation_.shared_model;
  try {
    model_ = shared.model();
    if (model_ == nullptr || !shared.take_news()) return Step::done;
    shape_ = prior_.model_shape();
    keys_ = prior_.measured_keys(noise_);
    unseen_.clear();
    open_.clear();
    const auto keys = prior_.keys_to_fit();
    for (auto at = keys.rbegin(); at != keys.rend(); ++at) {
      KeyLearner& key = **at;
      const std::lock_guard key_lock(key.lock());
      if (key.statistics().calls == 0.0)
        unseen_.push_back(&key);
      else if (!key.statistics().settled && open_.size() < open_max)
        open_.push_back(&key);
    }
  } catch (...) {
    return Step::done;  // memory is short: the former model stays until more is new
  }
  return Step::work;
}

void ModelFit::work() noexcept {
  try {
    model_ = std::make_shared<const OperationModel>(std::move(shape_), std::move(keys_), noise_, *model_);
  } catch (...) {
    model_ = nullptr;  // as above
  }
  keys_.clear();
}

bool ModelFit::finish() noexcept {
  if (model_ == nullptr) return true;
  for (KeyLearner* key : unseen_) key->decide_first(*model_);
  prior_.operation_.shared_model.publish(model_);
  for (KeyLearner* key : open_) key->post_fit();
  model_ = nullptr;
  return true;
}

void ModelFit::abandon() noexcept {
  std::construct_at(&keys_);
  std::construct_at(&unseen_);
  std::construct_at(&open_);
  std::construct_at(&shape_);
  std::construct_at(&model_);
}

}  // namespace adaptive::core
