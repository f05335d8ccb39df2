// A queue of shapes for workers on many machines, on a board that they share. Workers join and leave at any
// time, and none of them is in charge. The text of each shape on the board is one of these:
//
//   ""                no worker has the shape
//   "held WORKER N"   a worker measures it; N grows with each heartbeat
//   "done WORKER"     its trials are in the group "trials", under "SHAPE WORKER"
//
// Every change replaces exactly the text that was read. Therefore, if two workers want a shape, only one gets
// it, and only the trials of the first worker to finish a shape count, for all workers alike. If a text has
// not changed for the duration of a lease, by the clock of the reading worker, the worker that wrote it is
// considered lost, and the shape is given to another worker. Clocks of different machines are never compared.
//
// The next worker measures the shape of a lost worker from the start, because trials of two machines must not
// be mixed in one race. The lost worker's own log still has its trials, and it continues from them if no
// other worker has taken the shape by then.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tuning/measuring/clock.hpp"
#include "tuning/queue/board.hpp"
#include "tuning/queue/work_queue.hpp"

namespace adaptive::inline v1::tuning {

struct SharedQueueOptions {
  std::string worker = {};      ///< must be unique; empty: a name is generated
  double lease_seconds = 30.0;  ///< a shape is given to another worker after this time without a heartbeat
  double poll_seconds = 0.5;    ///< time between two reads of a board on which no shape is free
  bool heart_beats = true;   ///< a thread sends four heartbeats in each lease; else the caller calls beat()
  ClockFunction clock = {};  ///< empty: the steady clock
};

class SharedQueue final : public WorkQueue {
 public:
  /// The settings on which all workers must agree, by name, such as {"options", "…"}, {"shapes", "…"}.
  using Plan = std::map<std::string, std::string>;
  /// The group of the board that has the plan.
  static constexpr const char* plan_group = "plan";

  /// The first worker writes the plan to the board. Throws `Error` if the board already has another plan, or
  /// if it cannot be reached.
  SharedQueue(std::unique_ptr<Board> board, const Plan& plan, std::size_t shapes,
              SharedQueueOptions options = {});
  ~SharedQueue() override;

  Offer take() override;
  void give_back(std::size_t shape) noexcept override;
  /// Finishes a shape even if its lease has expired, unless another worker has finished it.
  bool finish(std::size_t shape, const std::vector<TrialRow>& rows) override;
  void wait() override;

  /// Sends a heartbeat for every shape that this process holds. A board that cannot be reached is not an
  /// error here, because the lease outlasts several heartbeats.
  void beat() noexcept;

 private:
  struct Seen {
    std::string text;
    double since = 0.0;  // time on the clock of this process
  };

  template <class F>
  auto patiently(const F& work) -> decltype(work());
  void look();
  bool claim(std::size_t shape);
  std::string held_text(std::uint64_t beats) const;
  void beat_until_the_end();

  const std::unique_ptr<Board> board_;
  const SharedQueueOptions options_;
  std::mutex mutex_;  // guards all members below and the board
  std::condition_variable changed_;
  std::vector<Seen> seen_;                   // by shape
  std::map<std::size_t, std::string> held_;  // held by this process, with the text on the board
  std::set<std::size_t> known_;              // finished here, or already reported by take()
  std::uint64_t beats_ = 0;
  bool ends_ = false;
  std::thread heart_;
};

}  // namespace adaptive::tuning
