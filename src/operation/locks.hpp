// The locks of an operation.
#pragma once

#include <mutex>

#include "operation/asking.hpp"

namespace adaptive::inline v1::core {

/// The locks of an operation, in the order in which a thread takes them. Below them each key has its own.
///
/// The list of keys, and the variants that a key knows of, change only where `asking` and the lock below it
/// are both held: either lock is enough to read them.
struct OperationLocks {
  /// Its holder may call the functions of the program that say what a key can run, and add keys. No other
  /// thread calls these functions.
  Asking asking;
  /// Guards the seeds, the predictor, and whatever goes over all keys. While it is held no function of the
  /// program runs but a policy, so that a thread that needs this lock alone never waits for the program. The
  /// worker thread only ever tries to take it.
  std::mutex keys_and_seeds;
};

}  // namespace adaptive::core
