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
#include "kernels/fused_moe/cuda/levels/layer.hpp"
#include "kernels/fused_moe/cuda/sizes.hpp"
#include "kernels/fused_moe/problem.hpp"
#include "kernels/fused_moe/routing.hpp"
#include "kernels/grouped_gemm/cuda/problem.hpp"

// The problem of ../operands.hpp on a GPU. It differs in these ways: operands have no padding; y is bfloat16,
// and so are h and the rows of down, which tolerance() takes into account; the routing is read only by the
// device; and there are other types:
//
//   dtype         x and h                                  weights
//   bfloat16      bfloat16                                 bfloat16
//   fp8_w8a8      float8 e4m3, a scale for 128 columns     float8 e4m3, a scale for 128 rows by 128 columns
//   int8_w8a16    bfloat16                                 int8, a scale for each row
//   int4_w4a16    bfloat16                                 levels 0 to 15 less 8, a scale for 64 columns
//   int8_w8a8     int8, a scale for each row               int8, a scale for each row
//
// A launch quantises x and, after rounding it to bfloat16, h, as quantised_matmul does: the largest magnitude
// of the numbers that share a scale becomes the largest level. levels/operands.hpp has the layouts.

namespace adaptive::kernels::fused_moe {

/// The dimensions on GPUs: those of every backend, with the types that have kernels.
std::vector<Dimension> cuda_dimensions();

std::optional<std::string> why_no_cuda_layer(const Shape& shape);

/// The pair of a variant: of tiles for bfloat16, or for the other types. With neither it is the plain kernel,
/// the default.
struct Choice {
  const Pair* pair = nullptr;
  const levels::Pair* levels = nullptr;

  bool plain() const { return pair == nullptr && levels == nullptr; }
};

/// Whether device and code have what the variant requires.
bool available(const Choice& choice, const grouped_gemm::Capability& device);
/// Whether a layer of this shape can be launched where the variant is available.
bool supports(const Choice& choice, const DeviceSizes& sizes);
/// Bytes of the intermediate results.
std::uint64_t scratch_bytes(const Choice& choice, const DeviceSizes& sizes);

/// What a variant needs for its launches.
struct Slot {
  LaunchStatus status = LaunchStatus::ok;
  Choice choice;
  int blocks_up = 0, blocks_down = 0;
  std::vector<grouped_gemm::TensorMaps> up, down;  ///< for each copy of the weights
  levels::Prepared levels;
};

/// The places of the operands in a copy of the weights, in bytes.
struct WeightPlaces {
  explicit WeightPlaces(const DeviceSizes& sizes);
  std::size_t up_scales = 0, down = 0, down_scales = 0, all = 0;
};

class FusedMoeOnCuda final : public dense_gemm::PreparedProblem<Slot> {
 public:
  /// `variants` are those of the family, in the same order.
  FusedMoeOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family,
                 const std::vector<Choice>& variants);

  const Routing& routing() const noexcept { return routing_; }

  double tolerance() const noexcept override;
  double bytes() const noexcept override;
  double operations() const noexcept override;

 private:
  using Bytes = cuda::DeviceBuffer<std::byte>;

  std::byte* up_weights(std::size_t copy) const noexcept { return w_.data() + copy * places_.all; }
  std::byte* down_weights(std::size_t copy) const noexcept { return up_weights(copy) + places_.down; }
  Layer layer(std::size_t copy) const noexcept;
  Alignment alignment() const noexcept;
  grouped_gemm::DeviceOperands up_product(const Pair& pair, std::size_t copy) const noexcept;
  grouped_gemm::DeviceOperands down_product(const Pair& pair, std::size_t copy) const noexcept;
  void fill(cuda::Stream stream);
  std::unique_ptr<Slot> make_slot(std::size_t variant) override;
  void make_scratch(const Pair& pair);
  void make_levels(Slot& slot);
  void make_maps(Slot& slot);
  LaunchStatus enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept override;
  cudaError_t enqueue_up(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept;
  cudaError_t enqueue_down(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept;
  void set_reference(cuda::Stream stream) override;

  const std::vector<Choice>& variants_;
  grouped_gemm::Capability capability_;
  DeviceSizes sizes_;
  Routing routing_;
  std::int64_t rows_ = 0;  ///< pairs whose expert is here
  bool overlaps_;          ///< whether a kernel may begin while the one before it still runs
  WeightPlaces places_;
  Bytes x_, w_;
  cuda::DeviceBuffer<int> ids_, expert_map_, ends_, token_of_, row_of_, counts_, counters_;
  cuda::DeviceBuffer<float> weights_, weight_of_;
  // Intermediate results: sorted rows of x, gate and up, h, the rows of down; and h of the plain kernel.
  Bytes sorted_x_, both_, h_, z_;
  cuda::DeviceBuffer<float> plain_h_;
  levels::Scratch levels_scratch_;
};

}  // namespace adaptive::kernels::fused_moe
