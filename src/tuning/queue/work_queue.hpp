// Which shape is measured next, and by whom: the shapes of a run, by their place in its list, given out to
// workers. Those are threads of one process, a device each, or besides them other processes on other machines
// (shared_queue.hpp).
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

/// A shape that another process has measured, and all its trials.
struct FinishedShape {
  std::size_t shape = 0;
  std::vector<TrialRow> rows = {};
};

struct Offer {
  /// For the caller alone, until it finishes it or gives it back. Nothing where none is free just now.
  std::optional<std::size_t> shape = {};
  bool all_finished = false;  ///< by whomever: nothing is left to wait for
  /// Each is told once, to one caller, and not while this process has the shape itself.
  std::vector<FinishedShape> finished = {};
};

/// Thread-safe. Each member throws `Error` where what the queue lies in cannot be reached.
class WorkQueue {
 public:
  WorkQueue() = default;
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  virtual ~WorkQueue() = default;

  virtual Offer take() = 0;
  /// Of a shape taken, which is not measured any further here. Throws nothing.
  virtual void give_back(std::size_t shape) noexcept = 0;
  /// Of a shape taken, with all its trials. False where another process has finished it before: its trials
  /// count, and the next take() brings them.
  virtual bool finish(std::size_t shape, const std::vector<TrialRow>& rows) = 0;
  /// Returns when take() may say something else than before, or earlier.
  virtual void wait() = 0;
};

/// Of the threads of this process.
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
  std::size_t left_;  // not finished yet
};

}  // namespace adaptive::tuning
