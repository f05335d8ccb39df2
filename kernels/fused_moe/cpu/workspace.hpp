#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "kernels/common/buffer.hpp"
#include "kernels/fused_moe/cpu/alignment.hpp"
#include "kernels/fused_moe/cpu/kernels.hpp"
#include "kernels/fused_moe/cpu/product.hpp"
#include "kernels/fused_moe/operands.hpp"

namespace adaptive::kernels::fused_moe {

/// How two threads share the work; `none` means one thread, which takes one expert after the other.
enum class Split { none, experts, columns };

/// In which order the terms of y are added.
enum class Sum {
  slots,    ///< in the order of the token's experts, after all products
  experts,  ///< as each expert is done, while its output is in the cache; on one thread only
};

/// A way to compute a layer: a tile of rows that both products share, and what each of them does with it.
struct Method {
  int tile;          ///< T
  PairKernel pairs;  ///< gate and up with their activation; null: `up`, then `elementwise`
  ProductKernels up, down;
  bool needs_sums;  ///< the kernels of 4 bits read the sums over groups of columns
  Split split;
  Sum sum;
  Elementwise elementwise;
};

/// The scratch memory of a problem and its packed weights. Only one thread at a time may use a workspace.
class Workspace {
 public:
  explicit Workspace(const Operands& operands);

  /// Computes the whole output. `operands` are those of the constructor. Never allocates.
  void run(const Operands& operands, const Method& method) noexcept;

 private:
  /// Where the rows of a group are in the buffers.
  struct Place {
    std::int64_t tile_row, row, z_row;
  };
  /// What a stage works on.
  struct Job {
    const Operands& o;
    const Method& m;
    grouped_gemm::Group group;
    Place place;
    int thread;
  };

  void run_by_expert(const Operands& o, const Method& m) noexcept;
  void run_by_column(const Operands& o, const Method& m) noexcept;
  Job job(const Operands& o, const Method& m, std::size_t group, int thread) const noexcept;

  void gather(const Job& job) noexcept;
  void multiply_up(const Job& job, Part part) noexcept;
  void activate(const Job& job, Part part) noexcept;
  void sum_columns(const Job& job) noexcept;
  void multiply_down(const Job& job, Part part) noexcept;
  void add_expert(const Job& job) noexcept;
  void sum_slots(const Operands& o, const Method& m, std::int64_t token, std::int64_t last_token,
                 Part part) noexcept;

  Alignment alignment_;
  Product up_, down_;
  std::vector<std::int64_t> tile_rows_;  ///< of each group, by the tile of the launch
  Buffer<float> x_tiles_, x_sums_, gate_up_, h_tiles_, h_sums_, z_, panels_;
  Buffer<float> zero_floats_;  ///< a row of x
  Buffer<std::uint16_t> zero_bfloats_;
};

}  // namespace adaptive::kernels::fused_moe
