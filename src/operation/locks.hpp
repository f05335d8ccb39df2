// The locks of an operation.
#pragma once

#include <mutex>

#include "operation/keys/asking.hpp"

namespace adaptive::inline v1::core {

/// The locks of an operation, in the order in which a thread takes them. The locks of single keys come last.
///
/// The list of keys, and the variants that a key knows of, change only while both `asking` and
/// `keys_and_seeds` are held. Either lock is therefore sufficient to read them.
struct OperationLocks {
  /// The holder may add keys, and may call the functions of the program that say what a key can run. No other
  /// thread calls these functions.
  Asking asking;
  /// Guards the seeds and every loop over all keys. The only code of the program that runs
  /// under this lock is a policy, so that a thread that needs only this lock never waits for the program. The
  /// worker thread only ever tries to take it.
  std::mutex keys_and_seeds;
};

}  // namespace adaptive::core
