#include "bench/cuda/graph_update/kernels.hpp"

#include <utility>

namespace bench {
namespace {

constexpr int numbers = 4096;

template <std::uint32_t F>
__global__ void step(float* data) {
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < numbers; i += gridDim.x * blockDim.x)
    data[i] = data[i] * 0.5F + static_cast<float>(F);
}

// The index must depend on the data; otherwise the compiler would keep the array in registers.
template <int bytes>
__global__ void deep_step(float* data) {
  float local[bytes / 4];
  for (int i = 0; i < bytes / 4; ++i) local[i] = static_cast<float>(i);
  for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < numbers; i += gridDim.x * blockDim.x) {
    local[static_cast<unsigned>(data[i]) % (bytes / 4)] += 1.0F;
    data[i] = data[i] * 0.5F + local[static_cast<unsigned>(data[i] * 3.0F) % (bytes / 4)];
  }
}

template <std::uint32_t... F>
Step step_of(std::integer_sequence<std::uint32_t, F...>, std::uint32_t function) {
  static constexpr Step steps[] = {step<F>...};
  return steps[function];
}

Step step_of(std::uint32_t function) {
  static const Step last[] = {module_step0(),  module_step1(),  module_step2(),  module_step3(),
                              deep_step<2048>, deep_step<4096>, deep_step<8192>, deep_step<16384>};
  if (function >= modules_begin) return last[function - modules_begin];
  return step_of(std::make_integer_sequence<std::uint32_t, modules_begin>(), function);
}

}  // namespace

dim3 grid(std::uint32_t function) {
  return dim3(function % 2 == 0 ? 16 : 32);
}

dim3 block(std::uint32_t function) {
  return dim3(function % 2 == 0 ? 256 : 128);
}

cudaError_t launch(std::uint32_t function, float* data, cudaStream_t stream) {
  step_of(function)<<<grid(function), block(function), 0, stream>>>(data);
  return cudaGetLastError();
}

const void* address(std::uint32_t function) {
  return reinterpret_cast<const void*>(step_of(function));
}

}  // namespace bench
