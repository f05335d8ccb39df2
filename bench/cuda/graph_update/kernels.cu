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

using Step = void (*)(float*);

struct Table {
  Step steps[functions_max];
};

template <std::uint32_t... F>
constexpr Table make_table(std::integer_sequence<std::uint32_t, F...>) {
  return {{step<F>...}};
}

constexpr Table table = make_table(std::make_integer_sequence<std::uint32_t, functions_max>());

}  // namespace

dim3 grid(std::uint32_t function) {
  return dim3(function % 2 == 0 ? 16 : 32);
}

dim3 block(std::uint32_t function) {
  return dim3(function % 2 == 0 ? 256 : 128);
}

cudaError_t launch(std::uint32_t function, float* data, cudaStream_t stream) {
  table.steps[function]<<<grid(function), block(function), 0, stream>>>(data);
  return cudaGetLastError();
}

const void* address(std::uint32_t function) {
  return reinterpret_cast<const void*>(table.steps[function]);
}

}  // namespace bench
