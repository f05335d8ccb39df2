#include "tuning/queue/work_queue.hpp"

namespace adaptive::inline v1::tuning {

LocalQueue::LocalQueue(std::size_t shapes) : left_(shapes) {
  for (std::size_t shape = 0; shape < shapes; ++shape) free_.push_back(shape);
}

Offer LocalQueue::take() {
  const std::lock_guard lock(mutex_);
  if (free_.empty()) return {.all_finished = left_ == 0};
  const std::size_t shape = free_.front();
  free_.pop_front();
  return {.shape = shape};
}

void LocalQueue::give_back(std::size_t shape) noexcept {
  {
    const std::lock_guard lock(mutex_);
    free_.push_front(shape);
  }
  changed_.notify_all();
}

bool LocalQueue::finish(std::size_t, const std::vector<TrialRow>&) {
  {
    const std::lock_guard lock(mutex_);
    --left_;
  }
  changed_.notify_all();
  return true;
}

void LocalQueue::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !free_.empty() || left_ == 0; });
}

}  // namespace adaptive::tuning
