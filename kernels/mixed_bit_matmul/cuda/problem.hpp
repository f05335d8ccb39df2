#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "kernels/common/cuda/memory.hpp"
#include "kernels/dense_gemm/cuda/prepared_problem.hpp"
#include "kernels/mixed_bit_matmul/cuda/balanced/kernels.hpp"
#include "kernels/mixed_bit_matmul/cuda/kernels.hpp"
#include "kernels/mixed_bit_matmul/problem.hpp"

// The problem of ../operands.hpp on a GPU, with the same levels, widths and groups. It differs in two ways:
// x, y, scales and offsets are bfloat16 or float16, and the words of a block and group are in the order of
// packing.cuh.

namespace adaptive::kernels::mixed_bit_matmul {

/// The kind of a variant, which its name alone determines.
struct Method {
  enum class Kind { plain, decode, mma, split, balanced, wgmma, dequantise };
  Kind kind = Kind::plain;
  std::size_t index =
      0;  ///< index in decode_configs, mma_configs, split_configs, balanced_configs or wgmma_configs
};

/// Whether a device with this code has what the method requires.
bool available(const Method& method, const cuda::LoadedCode& code);
/// Whether a problem of this valid shape can be launched where the method is available.
bool supports(const Method& method, const Shape& shape);

cuda::Element type_of(const Shape& shape);

/// Activations and weights on the host and on the device, which problems of different numbers of tokens may
/// share.
struct Storage {
  Storage(const Shape& shape, const cuda::ProblemOptions& options);
  DeviceOperands operands(std::size_t copy) const noexcept;

  Data data;
  cuda::Element type;
  std::size_t copies = 1;  ///< number of copies of the weights
  std::size_t words_of_copy = 0, scales_of_copy = 0;
  std::size_t pairs = 0;
  cuda::DeviceBuffer<std::uint32_t> words;
  cuda::DeviceBuffer<std::uint16_t> x, scales;
  cuda::DeviceBuffer<std::uint16_t> weights;  ///< dequantised by each launch that needs it; empty until then
  cuda::DeviceBuffer<std::int64_t> words_at;
  cuda::DeviceBuffer<int> block_bits;
  cuda::DeviceBuffer<BlockPair> block_pairs;

 private:
  void upload(const std::vector<std::int64_t>& host_words_at, const std::vector<BlockPair>& host_pairs,
              cuda::Stream stream);
};

/// Scratch memory of the split kernels of one tile, which its variants share.
struct SplitMemory {
  SplitMemory(const SplitTile& tile, int multiprocessors);
  SplitScratch scratch() const noexcept;

  int blocks;  ///< as in SplitScratch
  cuda::DeviceBuffer<float> sums;
  cuda::DeviceBuffer<int> counters;
};

/// Scratch memory of a balanced kernel.
struct BalancedMemory {
  BalancedMemory(const BalancedConfig& config, int multiprocessors);
  BalancedScratch scratch() const noexcept;

  int blocks;  ///< as in BalancedScratch
  cuda::DeviceBuffer<float> sums;
  cuda::DeviceBuffer<int> counters;
};

/// What a variant needs for its launches.
struct Slot {
  LaunchStatus status = LaunchStatus::ok;
  Method method;
  std::shared_ptr<dense_gemm::Plan> plan;
  dense_gemm::CheckedAlgorithm algorithm;
};

class MixedBitOnCuda final : public dense_gemm::PreparedProblem<Slot> {
 public:
  /// `methods` are those of the family's variants, in the same order.
  MixedBitOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family,
                 const std::vector<Method>& methods);

  /// Tolerance of variants that do not round weights, which are all but `dequantise`, `split`,
  /// `balanced` and `wgmma`.
  double tolerance_unrounded() const noexcept { return storage_->data.tolerance(); }

  std::string description() const override;
  double tolerance() const noexcept override;
  double bytes() const noexcept override;
  double operations() const noexcept override;

 private:
  DeviceOperands operands(std::size_t copy) const noexcept;
  std::unique_ptr<Slot> make_slot(std::size_t variant) override;
  LaunchStatus enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept override;
  void set_reference(cuda::Stream stream) override;

  const std::vector<Method>& methods_;
  Sizes sizes_;
  cuda::Element type_;
  bool overlaps_;  // whether a kernel may begin while the one before it still runs
  std::shared_ptr<Storage> storage_;
  std::array<std::optional<SplitMemory>, split_tiles.size()>
      split_memory_;  ///< empty until a variant needs it
  std::array<std::optional<BalancedMemory>, balanced_configs.size()> balanced_memory_;
  std::vector<CUtensorMap> x_maps_;  ///< in boxes of box_tokens; empty if nothing uses them
};

}  // namespace adaptive::kernels::mixed_bit_matmul
