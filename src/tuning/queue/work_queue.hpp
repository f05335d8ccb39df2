// Gives the shapes of a run, by their index in its list, to workers. The workers are threads of one process,
// one for each device, and possibly other processes on other machines (shared_queue.hpp).
//
//   while (true) {
//     const Offer offer = queue.take();
//     for (const FinishedShape& finished : offer.finished) adopt(finished);
//     if (offer.all_finished) break;
//     if (!offer.shape)
//       queue.wait();
//     else if (measure(*offer.shape))
//       queue.finish(*offer.shape, rows);
//     else
//       queue.give_back(*offer.shape);
//   }
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "tuning/trial_log.hpp"

namespace adaptive::inline v1::tuning {

/// A shape that another process has measured, with all its trials.
struct FinishedShape {
  std::size_t shape = 0;
  std::vector<TrialRow> rows = {};
};

struct Offer {
  /// A shape for the caller alone, until the caller finishes it or gives it back. Nothing if no shape is free
  /// at present.
  std::optional<std::size_t> shape = {};
  bool all_finished = false;  ///< all shapes are finished, by any worker: there is nothing left to wait for
  /// Each finished shape is reported once, to one caller, and not while this process holds the shape.
  std::vector<FinishedShape> finished = {};
};

/// Thread-safe. Each member throws `Error` if the storage of the queue cannot be reached.
class WorkQueue {
 public:
  WorkQueue() = default;
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  virtual ~WorkQueue() = default;

  virtual Offer take() = 0;
  /// Returns a taken shape whose measurement stops here.
  virtual void give_back(std::size_t shape) noexcept = 0;
  /// Finishes a taken shape with all its trials. Returns false if another process has finished it before;
  /// then the trials of that process count, and the next take() returns them.
  virtual bool finish(std::size_t shape, const std::vector<TrialRow>& rows) = 0;
  /// Returns when the answer of take() may have changed, or earlier.
  virtual void wait() = 0;
};

/// A queue for the threads of this process.
class LocalQueue final : public WorkQueue {
 public:
  explicit LocalQueue(std::size_t shapes);

  Offer take() override;
  void give_back(std::size_t shape) noexcept override;
  bool finish(std::size_t shape, const std::vector<TrialRow>& rows) override;
  void wait() override;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::size_t> free_;
  std::size_t left_;  // number of shapes that are not finished
};

}  // namespace adaptive::tuning
