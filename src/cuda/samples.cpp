#include "cuda/samples.hpp"

namespace adaptive::inline v1::timing {

QueueStates::Verdict give_sample(QueueStates& states, Operation& operation, const Decision& decision,
                                 bool idle, Latency latency) noexcept {
  const QueueStates::Verdict verdict = states.judge(&operation, idle);
  if (verdict == QueueStates::Verdict::leave_out) return verdict;
  if (verdict == QueueStates::Verdict::restart) {
    try {
      operation.relearn();
    } catch (...) {
      // Memory is short: the operation keeps what it knew, and the policy takes the difference for a drift.
    }
  }
  operation.record(decision, latency);
  return verdict;
}

}  // namespace adaptive::timing
