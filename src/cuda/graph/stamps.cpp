#include "cuda/graph/stamps.hpp"

namespace adaptive::inline v1::cuda {

GraphStamps::GraphStamps(CUfunction kernel, CUdeviceptr device, Pair* host)
    : kernel_(kernel), device_(device), host_(host) {
  for (std::uint32_t block = blocks; block > 0; --block) free_.push(block - 1);
}

std::uint32_t GraphStamps::acquire(const Driver& driver) noexcept {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(busy_, [&](const Busy& busy) {
      if (driver.event_query(busy.last) != CUDA_SUCCESS) return false;
      driver.event_destroy(busy.last);
      free_.push(busy.block);
      return true;
    });
  }
  return free_.pop();
}

void GraphStamps::release_after(const Driver& driver, std::uint32_t block, CUevent last) noexcept {
  try {
    const std::lock_guard lock(mutex_);
    busy_.push_back({block, last});
  } catch (...) {
    driver.event_destroy(last);  // out of memory: the block is not used again
  }
}

}  // namespace adaptive::cuda
