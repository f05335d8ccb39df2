#include "tests/cuda/graph/kernels.hpp"

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
#define TEST_PAIRS __cluster_dims__(2, 1, 1)
#else
#define TEST_PAIRS
#endif

namespace adaptive::inline v1::cuda::test {
namespace {

template <int V>
__global__ void mark_kernel(int* out, int n, int id) {
  for (int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); i < n;
       i += static_cast<int>(gridDim.x * blockDim.x))
    out[i] = 100 * id + V + 1;
}

template <int V>
__global__ void TEST_PAIRS mark_pairs_kernel(int* out, int n, int id) {
  for (int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); i < n;
       i += static_cast<int>(gridDim.x * blockDim.x))
    out[i] = 100 * id + V + 1;
}

__global__ void add_kernel(int* out, int n, int value) {
  for (int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); i < n;
       i += static_cast<int>(gridDim.x * blockDim.x))
    out[i] += value;
}

__global__ void spin_kernel(long long cycles) {
  const long long begin = clock64();
  while (clock64() - begin < cycles) {
  }
}

template <int V>
__global__ void spin_as_told_kernel(const unsigned long long* ns) {
  const unsigned long long wanted = *ns;
  unsigned long long begin, now;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(begin)::"memory");
  do asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(now)::"memory");
  while (now - begin < wanted);
}

using Mark = void (*)(int*, int, int);
constexpr Mark marks[variants_max] = {mark_kernel<0>, mark_kernel<1>, mark_kernel<2>, mark_kernel<3>};
constexpr unsigned blocks[variants_max] = {2, 4, 8, 16};
constexpr unsigned threads[variants_max] = {256, 32, 128, 64};

cudaError_t launch_with(cudaLaunchAttribute attribute, std::uint32_t variant, int* out, int n, int id,
                        cudaStream_t stream) {
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(blocks[variant]);
  config.blockDim = dim3(threads[variant]);
  config.stream = stream;
  config.attrs = &attribute;
  config.numAttrs = 1;
  return cudaLaunchKernelEx(&config, marks[variant], out, n, id);
}

}  // namespace

cudaError_t mark(std::uint32_t variant, int* out, int n, int id, cudaStream_t stream) {
  marks[variant]<<<blocks[variant], threads[variant], 0, stream>>>(out, n, id);
  return cudaGetLastError();
}

cudaError_t add(int* out, int n, int value, cudaStream_t stream) {
  add_kernel<<<2, 128, 0, stream>>>(out, n, value);
  return cudaGetLastError();
}

cudaError_t mark_in_clusters(std::uint32_t variant, int* out, int n, int id, cudaStream_t stream) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeClusterDimension;
  attribute.val.clusterDim.x = 2;
  attribute.val.clusterDim.y = 1;
  attribute.val.clusterDim.z = 1;
  return launch_with(attribute, variant, out, n, id, stream);
}

cudaError_t mark_in_compiled_clusters(std::uint32_t variant, int* out, int n, int id, cudaStream_t stream) {
  constexpr Mark pairs[2] = {mark_pairs_kernel<0>, mark_pairs_kernel<1>};
  pairs[variant]<<<blocks[variant], threads[variant], 0, stream>>>(out, n, id);
  return cudaGetLastError();
}

cudaError_t mark_dependent(std::uint32_t variant, int* out, int n, int id, cudaStream_t stream) {
  cudaLaunchAttribute attribute{};
  attribute.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute.val.programmaticStreamSerializationAllowed = 1;
  return launch_with(attribute, variant, out, n, id, stream);
}

cudaError_t spin_as_told(std::uint32_t variant, const unsigned long long* ns, cudaStream_t stream) {
  using Told = void (*)(const unsigned long long*);
  constexpr Told told[variants_max] = {spin_as_told_kernel<0>, spin_as_told_kernel<1>, spin_as_told_kernel<2>,
                                       spin_as_told_kernel<3>};
  told[variant]<<<1, 1, 0, stream>>>(ns);
  return cudaGetLastError();
}

cudaError_t spin(long long cycles, cudaStream_t stream) {
  spin_kernel<<<1, 1, 0, stream>>>(cycles);
  return cudaGetLastError();
}

}  // namespace adaptive::cuda::test
