// A queue of shapes for workers on many machines, on a board that they share. Workers join and leave at any
// time; nobody is in charge. What each shape's text on the board says:
//
//   ""                nobody has it
//   "held WORKER N"   a worker measures it; N grows with each heart-beat
//   "done WORKER"     its trials are in the group "trials", under "SHAPE WORKER"
//
// and every change is a replacement of the text that was read, so that of two workers who want a shape one
// gets it, and the first to finish it is the one whose trials count, for all alike. A text that has not
// changed for the time of a lease, by the clock of whoever looks, is a worker's that is gone: its shape is
// given out again. No two clocks are ever compared.
//
// What a lost worker had measured of its shape is measured again by the next one: trials of two machines do
// not belong in one race. Its own log has them still, where it goes on before another has taken the shape.
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
  std::string worker = {};      ///< unlike all others; empty: one is made up
  double lease_seconds = 30.0;  ///< without a heart-beat, after which a shape is given out again
  double poll_seconds = 0.5;    ///< between looks at a board that has nothing to do
  bool heart_beats = true;      ///< from a thread, four in each lease; else by beat()
  ClockFunction clock = {};     ///< empty: the steady one
};

class SharedQueue final : public WorkQueue {
 public:
  /// What all workers must agree on, by name, such as {"options", "…"}, {"shapes", "…"}.
  using Plan = std::map<std::string, std::string>;

  /// The first to come writes the plan down. Throws `Error` where it was written down by somebody with
  /// another one, and where the board cannot be reached.
  SharedQueue(std::unique_ptr<Board> board, const Plan& plan, std::size_t shapes,
              SharedQueueOptions options = {});
  ~SharedQueue() override;

  Offer take() override;
  void give_back(std::size_t shape) noexcept override;
  /// Finishes a shape even where its lease was lost, unless another has finished it by then.
  bool finish(std::size_t shape, const std::vector<TrialRow>& rows) override;
  void wait() override;

  /// One heart-beat for every shape that this process holds. A board that cannot be reached is no error here:
  /// the lease outlasts some beats.
  void beat() noexcept;

 private:
  struct Seen {
    std::string text;
    double since = 0.0;  // by our clock
  };

  template <class F>
  auto patiently(const F& work) -> decltype(work());
  void look();
  bool claim(std::size_t shape);
  std::string held_text(std::uint64_t beats) const;
  void beat_until_the_end();

  const std::unique_ptr<Board> board_;
  const SharedQueueOptions options_;
  std::mutex mutex_;  // of all below, and of the board
  std::condition_variable changed_;
  std::vector<Seen> seen_;                   // by shape
  std::map<std::size_t, std::string> held_;  // by this process: the text that is ours
  std::set<std::size_t> known_;              // finished here, or told
  std::uint64_t beats_ = 0;
  bool ends_ = false;
  std::thread heart_;
};

}  // namespace adaptive::tuning
