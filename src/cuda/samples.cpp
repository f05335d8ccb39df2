#include "cuda/samples.hpp"

namespace adaptive::inline v1::cuda {

QueueStates::Verdict give_sample(QueueStates& states, Operation& operation, const Decision& decision,
                                 bool idle, Latency latency) noexcept {
  const QueueStates::Verdict verdict = states.judge(&operation, idle);
  if (verdict == QueueStates::Verdict::leave_out) return verdict;
  if (verdict == QueueStates::Verdict::restart) {
    try {
      operation.relearn();
    } catch (...) {
      // Out of memory: the operation keeps its results, and its policy treats the difference as a drift.
    }
  }
  operation.record(decision, latency);
  return verdict;
}

}  // namespace adaptive::cuda
