#include "operation/model_fit.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>

#include "operation/prior_knowledge.hpp"

namespace adaptive::inline v1::core {
namespace {

// Maximum number of keys that get new expectations right after a fit. Other keys ask for theirs at their next
// call that consults the policy.
constexpr std::size_t open_max = 64;

bool is_before(const MeasuredKey& a, const MeasuredKey& b) {
  return a.key < b.key;
}

// Whether `key` is the latest key that was added behind the first `others` keys.
bool to_be_continued(const std::vector<MeasuredKey>& keys, std::ptrdiff_t others, const Key& key) {
  return keys.end() - keys.begin() > others && keys.back().key == key;
}

// Adds the results of keys without a state to `keys`, except for keys that are there already: one entry for
// each key, with the mean of the results of each variant. `deviation`: of one log latency.
void add_passing(std::vector<MeasuredKey>& keys, std::vector<PassingLaunches::Result> results,
                 double deviation) {
  std::sort(keys.begin(), keys.end(), is_before);
  const auto others = keys.end() - keys.begin();
  std::stable_sort(results.begin(), results.end(), [](const auto& a, const auto& b) {
    return a.key == b.key ? a.variant < b.variant : a.key < b.key;
  });
  for (std::size_t i = 0; i < results.size();) {
    const PassingLaunches::Result& first = results[i];
    double count = 0.0;
    double sum = 0.0;
    for (; i < results.size() && results[i].key == first.key && results[i].variant == first.variant; ++i) {
      count += 1.0;
      sum += results[i].location;
    }
    const Measured measured{first.variant, sum / count, deviation * deviation / count, first.log_cost};
    if (to_be_continued(keys, others, first.key)) {
      keys.back().results.push_back(measured);
    } else if (!std::binary_search(keys.begin(), keys.begin() + others, MeasuredKey{first.key, {}},
                                   is_before)) {
      keys.push_back({first.key, {measured}});
    }
  }
}

}  // namespace

Worker::Task::Step ModelFit::prepare() noexcept {
  // If ranks have to agree, no rank may fit by itself: each would fit at another time, to other results.
  if (prior_.operation_.selector.rank_consistent) return Step::done;
  const std::unique_lock lock(prior_.locks_.keys_and_seeds, std::try_to_lock);
  if (!lock.owns_lock()) return Step::later;
  for (const auto& key : prior_.keys_.keys()) {
    key->take_over();
    // In a forked child, the key could not begin anew: a thread of the parent held its lock, which stays
    // taken.
    if (!key->is_own()) return Step::done;
  }
  SharedModel& shared = prior_.operation_.shared_model;
  try {
    if (!shared.take_news()) return Step::done;
    input_ = prior_.model_input();
    unseen_.clear();
    open_.clear();
    waiting_.clear();
    const auto keys = prior_.keys_to_fit();
    for (auto at = keys.rbegin(); at != keys.rend(); ++at) {
      KeyLearner& key = **at;
      const std::lock_guard key_lock(key.lock());
      if (key.statistics().calls == 0.0)
        unseen_.push_back(&key);
      else if (!key.statistics().settled && open_.size() < open_max)
        open_.push_back(&key);
      else if (key.waits_for_model())
        waiting_.push_back(&key);
    }
  } catch (...) {
    return Step::done;  // out of memory: the former model stays until there is more news
  }
  return Step::work;
}

std::shared_ptr<const OperationModel> ModelFit::fitted(Input& input) {
  if (!input.passing.empty()) add_passing(input.keys, std::move(input.passing), input.noise.deviation);
  return std::make_shared<const OperationModel>(input.shape, std::move(input.keys), input.noise,
                                                *input.former);
}

void ModelFit::work() noexcept {
  try {
    model_ = fitted(input_);
  } catch (...) {
    model_ = nullptr;  // out of memory, as above
  }
  input_ = {};
}

bool ModelFit::finish() noexcept {
  if (model_ == nullptr) return true;
  const bool proven = model_->proven();
  for (KeyLearner* key : unseen_) key->decide_first(*model_);
  prior_.operation_.shared_model.publish(model_);
  for (KeyLearner* key : open_) key->post_fit();
  if (proven)
    for (KeyLearner* key : waiting_) key->post_fit();
  // A launch may still use the former model. Keep it, so that the launch does not have to free it.
  former_ = std::move(model_);
  model_ = nullptr;
  return true;
}

void ModelFit::abandon() noexcept {
  std::construct_at(&input_);
  std::construct_at(&unseen_);
  std::construct_at(&open_);
  std::construct_at(&waiting_);
  std::construct_at(&model_);
  std::construct_at(&former_);
}

}  // namespace adaptive::core
