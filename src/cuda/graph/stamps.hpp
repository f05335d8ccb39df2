// Memory for the times that kernels within graphs note.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include <cuda.h>

#include "cuda/driver.hpp"
#include "cuda/free_list.hpp"

namespace adaptive::inline v1::cuda {

/// Blocks of pairs of times, in memory of the device, where kernels write them, and in memory of the host,
/// where they are copied to. One object for each context, which is never destroyed: kernels that write to it
/// may still be in a stream. Thread-safe.
class GraphStamps {
 public:
  struct Pair {
    std::uint64_t start_ns;
    std::uint64_t end_ns;
  };
  static constexpr std::size_t pairs = 8;  ///< of a block
  static constexpr std::uint32_t blocks = 4096;
  static constexpr std::size_t bytes = blocks * pairs * sizeof(Pair);  ///< of each memory
  static constexpr std::uint32_t none = FreeList::none;

  /// `kernel` has one parameter, the address to which it writes the time. Both memories have `bytes` bytes,
  /// and stay allocated. Throws `std::bad_alloc`.
  GraphStamps(CUfunction kernel, CUdeviceptr device, Pair* host);
  GraphStamps(const GraphStamps&) = delete;
  GraphStamps& operator=(const GraphStamps&) = delete;

  CUfunction kernel() const noexcept { return kernel_; }
  /// Returns the number of a free block, or `none`.
  std::uint32_t acquire(const Driver& driver) noexcept;
  /// Nothing writes to the block any more.
  void release(std::uint32_t block) noexcept { free_.push(block); }
  /// Nothing writes to the block once `last` is over. Takes the event over.
  void release_after(const Driver& driver, std::uint32_t block, CUevent last) noexcept;

  CUdeviceptr start_of(std::uint32_t block, std::size_t pair) const noexcept {
    return device_ + (block * pairs + pair) * sizeof(Pair);
  }
  CUdeviceptr end_of(std::uint32_t block, std::size_t pair) const noexcept {
    return start_of(block, pair) + sizeof(std::uint64_t);
  }
  Pair* host(std::uint32_t block) const noexcept { return host_ + block * pairs; }

 private:
  struct Busy {
    std::uint32_t block;
    CUevent last;
  };

  CUfunction kernel_;
  CUdeviceptr device_;
  Pair* host_;
  FreeList free_{blocks};
  std::mutex mutex_;  // guards `busy_`
  std::vector<Busy> busy_;
};

}  // namespace adaptive::cuda
