#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/common/cuda/memory.hpp"
#include "kernels/dense_gemm/cuda/prepared_problem.hpp"
#include "kernels/fused_moe/cuda/config.hpp"
#include "kernels/fused_moe/cuda/kernels.hpp"
#include "kernels/fused_moe/problem.hpp"
#include "kernels/fused_moe/routing.hpp"
#include "kernels/grouped_gemm/cuda/problem.hpp"

// The problem of ../operands.hpp on a GPU. It differs in four ways: operands have no padding; y has the type
// of x and the weights; so have h and the rows of down, which tolerance() takes into account; and the routing
// is read only by the device.

namespace adaptive::kernels::fused_moe {

/// The dimensions on GPUs: those of every backend, with the types that have kernels.
std::vector<Dimension> cuda_dimensions();

/// The sizes of a valid shape with cuda_dimensions().
Sizes cuda_sizes(const Shape& shape);

std::optional<std::string> why_no_cuda_layer(const Shape& shape);

/// Number of pairs of token and slot.
inline std::int64_t pairs_of(const Sizes& sizes) {
  return sizes.tokens * sizes.top_k;
}

/// Whether device and code have what the pair requires; a null pair is the plain kernel.
bool available(const Pair* pair, const grouped_gemm::Capability& device);
/// Whether a layer of this shape can be launched where the pair is available.
bool supports(const Pair* pair, const Sizes& sizes);
/// Bytes of the intermediate results.
std::uint64_t scratch_bytes(const Pair* pair, const Sizes& sizes);

/// What a variant needs for its launches.
struct Slot {
  LaunchStatus status = LaunchStatus::ok;
  const Pair* pair = nullptr;  ///< null: the plain kernel
  int blocks_up = 0, blocks_down = 0;
  std::vector<grouped_gemm::TensorMaps> up, down;  ///< for each copy of the weights
};

class FusedMoeOnCuda final : public dense_gemm::PreparedProblem<Slot> {
 public:
  /// `variants` are the pairs of the family's variants, in the same order.
  FusedMoeOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family,
                 const std::vector<const Pair*>& variants);

  const Routing& routing() const noexcept { return routing_; }

  double tolerance() const noexcept override;
  double bytes() const noexcept override;
  double operations() const noexcept override;

 private:
  using Bytes = cuda::DeviceBuffer<std::byte>;

  const std::byte* up_weights(std::size_t copy) const noexcept { return w_.data() + copy * copy_bytes_; }
  const std::byte* down_weights(std::size_t copy) const noexcept { return up_weights(copy) + up_bytes_; }
  Layer layer(std::size_t copy) const noexcept;
  Alignment alignment() const noexcept;
  grouped_gemm::DeviceOperands up_product(const Pair& pair, std::size_t copy) const noexcept;
  grouped_gemm::DeviceOperands down_product(const Pair& pair, std::size_t copy) const noexcept;
  void fill(cuda::Stream stream);
  std::unique_ptr<Slot> make_slot(std::size_t variant) override;
  void make_scratch(const Pair* pair);
  void make_maps(Slot& slot);
  LaunchStatus enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept override;
  cudaError_t enqueue_up(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept;
  cudaError_t enqueue_down(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept;
  void set_reference(cuda::Stream stream) override;

  const std::vector<const Pair*>& variants_;
  grouped_gemm::Capability capability_;
  Sizes sizes_;
  Routing routing_;
  std::int64_t rows_ = 0;  ///< pairs whose expert is here
  bool overlaps_;          ///< whether a kernel may begin while the one before it still runs
  std::size_t up_bytes_ = 0, copy_bytes_ = 0;
  Bytes x_, w_;
  cuda::DeviceBuffer<int> ids_, expert_map_, ends_, token_of_, row_of_, counts_, counters_;
  cuda::DeviceBuffer<float> weights_, weight_of_;
  // Intermediate results: sorted rows of x, gate and up, h, the rows of down; and h of the plain kernel.
  Bytes sorted_x_, both_, h_, z_;
  cuda::DeviceBuffer<float> plain_h_;
};

}  // namespace adaptive::kernels::fused_moe
