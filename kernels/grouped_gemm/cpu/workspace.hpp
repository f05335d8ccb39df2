#pragma once

#include <cstdint>

#include "kernels/common/buffer.hpp"
#include "kernels/grouped_gemm/cpu/kernels.hpp"
#include "kernels/grouped_gemm/operands.hpp"

namespace adaptive::kernels::grouped_gemm {

/// How two threads share the work; `none` means one thread.
enum class Split { none, experts, columns };

/// One of this folder's kernels, and what it needs.
struct Method {
  Kernel kernel;
  int tile;  ///< rows computed at once; 0 if the library decides
  Split split;
  bool widens_rows;  ///< the kernel takes the rows as stored, so no copy of x is made
};

/// The scratch memory of this folder's kernels, and a copy of W in the order in which the packed kernels read
/// it. Only one thread at a time may use a workspace.
class Workspace {
 public:
  explicit Workspace(const Operands& operands);

  /// Computes the whole output. `operands` are those of the constructor. Never allocates.
  void run(const Operands& operands, const Method& method) noexcept;

 private:
  Scratch prepare(const Operands& operands, const Method& method) noexcept;
  template <class T>
  void interleave(const Operands& operands, std::int64_t tile) noexcept;

  Buffer<float> x_tiles_, panels_, packed_float_;
  Buffer<std::uint16_t> packed_bfloat_;
  Buffer<std::int64_t> tile_rows_;
};

}  // namespace adaptive::kernels::grouped_gemm
