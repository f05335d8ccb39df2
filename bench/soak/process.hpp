// What the operating system says about this process.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace adaptive::bench {

/// A moment of the process.
struct ProcessState {
  double resident_mib = 0.0;
  double heap_mib = 0.0;  ///< bytes in use of malloc, without what it keeps for later
  std::size_t descriptors = 0;
  std::size_t threads = 0;
  std::chrono::duration<double> processor_time{};  ///< of all threads
};

/// Throws `std::runtime_error` without a /proc.
ProcessState process_state();

/// The bytes of malloc that are in use.
std::size_t heap_bytes();

/// Processor time of the calling thread.
std::chrono::duration<double> thread_time();

/// What a server on this host answers to "GET path", without the header. Throws `std::runtime_error` if it
/// does not answer with 200.
std::string http_get(int port, const std::string& path);

}  // namespace adaptive::bench
