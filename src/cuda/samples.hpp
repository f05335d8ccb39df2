// From a timed launch to its operation.
#pragma once

#include <adaptive/decision.hpp>
#include <adaptive/latency.hpp>
#include <adaptive/operation.hpp>
#include "cuda/queue_states.hpp"

namespace adaptive::inline v1::timing {

/// Records `latency` unless it may not be compared with what the operation has learned from; makes the
/// operation learn anew where from now on it learns from the other kind of sample. Launches that are in
/// flight at such a change are judged like all others when they arrive, so the operation keeps waiting for
/// them. One thread at a time.
QueueStates::Verdict give_sample(QueueStates& states, Operation& operation, const Decision& decision,
                                 bool idle, Latency latency) noexcept;

}  // namespace adaptive::timing
