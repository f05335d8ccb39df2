#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

namespace adaptive::kernels::cuda {

/// Throws std::runtime_error with CUDA's message. Does not change the thread's last error.
inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(status));
}

/// Device memory on the device that was current at construction. Freeing it waits for the device.
template <class T>
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  explicit DeviceBuffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    void* data = nullptr;
    check(cudaMalloc(&data, size * sizeof(T)), "cudaMalloc");
    data_.reset(static_cast<T*>(data));
  }
  T* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }

 private:
  struct Free {
    // A static object may be freed after main, where CUDA returns an error; nothing can be done about that.
    void operator()(T* data) const noexcept { static_cast<void>(cudaFree(data)); }
  };
  std::unique_ptr<T, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace adaptive::kernels::cuda
