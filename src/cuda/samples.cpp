#include "cuda/samples.hpp"

namespace adaptive::inline v1::cuda {

QueueStates::Verdict give_sample(QueueStates& states, Operation& operation, const Decision& decision,
                                 bool idle, Latency latency) noexcept {
  const QueueStates::Verdict verdict = states.judge(&operation, decision.key_id(), idle);
  if (verdict == QueueStates::Verdict::leave_out) return verdict;
  if (verdict == QueueStates::Verdict::restart) {
    try {
      operation.relearn(decision);
    } catch (...) {
      // Out of memory: the key keeps its results, and its policy treats the difference as a drift.
    }
  }
  operation.record(decision, latency);
  return verdict;
}

}  // namespace adaptive::cuda
