#pragma once

#include <cstdint>
#include <vector>

#include "kernels/common/buffer.hpp"
#include "kernels/fused_moe/cpu/kernels.hpp"
#include "kernels/fused_moe/operands.hpp"
#include "kernels/grouped_gemm/cpu/kernels.hpp"
#include "kernels/mixed_bit_matmul/cpu/kernels.hpp"
#include "kernels/quantized_matmul/cpu/kernels.hpp"

namespace adaptive::kernels::fused_moe {

/// The kernels of one product, by the type of the weights.
struct ProductKernels {
  grouped_gemm::Kernel floats = nullptr;      ///< float32 and bfloat16
  quantized_matmul::Kernel levels = nullptr;  ///< int8; null: eigen_dequantise
  mixed_bit_matmul::Kernel bits = nullptr;    ///< 4 bits
  bool is_packed = true;                      ///< floats: reads the packed weights; levels: not Eigen
};

/// Share `index` of `count` of the blocks of 16 output columns.
struct Part {
  std::int64_t index, count;
};

/// The rows of one expert as the kernels read them.
struct ExpertRows {
  std::int64_t expert, rows;
  std::int64_t tile;   ///< T
  const float* tiles;  ///< [ceil(rows / T)][stride][T]; the rows that do not exist are zero
  const float* sums;   ///< 4 bits: [ceil(rows / T)][stride / 64][T], sums over 64 columns
};

/// Floats of scratch memory that a kernel needs on each thread.
inline constexpr std::int64_t panel_floats = grouped_gemm::panel_columns * grouped_gemm::panel_depth;

/// One product of a layer (gate and up together, or down), with copies of the weights in the order in which
/// the kernels of other families read them.
class Product {
 public:
  /// The rows of an expert are `parts` times `part_rows`, each part in blocks of its own.
  Product(const ExpertWeights& weights, Type type, std::int64_t experts, std::int64_t parts,
          std::int64_t part_rows, std::int64_t rows_max);

  /// Columns of the output, and the column where the second part begins. They depend on whether the kernel
  /// reads the weights in blocks.
  std::int64_t columns(const ProductKernels& kernels) const noexcept {
    return parts_ * part_columns(kernels);
  }
  std::int64_t part_columns(const ProductKernels& kernels) const noexcept {
    return in_blocks(kernels) && parts_ > 1 ? part_blocks_ * block_columns : part_rows_;
  }
  std::int64_t part_blocks() const noexcept { return part_blocks_; }

  /// Computes a share of out[rows][columns]. `panel` has panel_floats floats for this call alone.
  void multiply(const ProductKernels& kernels, const ExpertRows& rows, Part part, float* panel,
                float* out) const noexcept;

  /// The packed weights of an expert from block `block` on; floats only.
  const void* packed(std::int64_t expert, std::int64_t block) const noexcept;

 private:
  bool in_blocks(const ProductKernels& kernels) const noexcept {
    return type_ == Type::int4_w4a16 || kernels.is_packed;
  }
  template <class T>
  Buffer<T> pack(const T* weights) const;
  void multiply_floats(const ProductKernels&, const ExpertRows&, Part, float* panel,
                       float* out) const noexcept;
  void multiply_levels(const ProductKernels&, const ExpertRows&, Part, float* panel,
                       float* out) const noexcept;
  void multiply_bits(const ProductKernels&, const ExpertRows&, Part, float* panel, float* out) const noexcept;

  const ExpertWeights w_;
  Type type_;
  std::int64_t experts_, parts_, part_rows_, part_blocks_;
  Buffer<float> packed_floats_, packed_scales_, ones_;
  Buffer<std::uint16_t> packed_bfloats_;
  Buffer<std::int8_t> packed_levels_;
  std::vector<float> value_of_level_;
  std::vector<const std::uint32_t*> words_;  ///< [experts][blocks]
  std::vector<int> bits_;                    ///< of each block
  std::vector<std::int64_t> block_numbers_;
};

}  // namespace adaptive::kernels::fused_moe
