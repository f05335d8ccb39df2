// Threads of the library's own.
#pragma once

#include <pthread.h>

#include <csignal>
#include <thread>
#include <utility>

namespace adaptive::inline v1::core {

/// Starts a thread that handles no signals: the program's signals are for the program's threads. Throws what
/// the constructor of `std::thread` throws.
template <class Body>
std::thread background_thread(Body&& body) {
  // A new thread inherits the mask of the one that starts it.
  struct AllBlocked {
    AllBlocked() noexcept {
      sigset_t every;
      sigfillset(&every);
      ::pthread_sigmask(SIG_SETMASK, &every, &before);
    }
    ~AllBlocked() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
    sigset_t before;
  };
  const AllBlocked blocked;
  return std::thread(std::forward<Body>(body));
}

}  // namespace adaptive::core
