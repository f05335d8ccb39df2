// Gives a sample to its operation.
#pragma once

#include <adaptive/decision.hpp>
#include <adaptive/latency.hpp>
#include <adaptive/operation.hpp>
#include "cuda/queue_states.hpp"

namespace adaptive::inline v1::cuda {

/// Records `latency` unless it cannot be compared with the samples from which the key has learned. If the key
/// changes to the other kind of sample, makes it learn again from the start. Launches that are in flight at
/// such a change are judged like all others when they arrive, so the key keeps waiting for them. Only one
/// thread at a time may call this.
QueueStates::Verdict give_sample(QueueStates& states, Operation& operation, const Decision& decision,
                                 bool idle, Latency latency) noexcept;

}  // namespace adaptive::cuda
