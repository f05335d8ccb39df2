#pragma once

#include "kernels/common/cuda/launch.cuh"
#include "kernels/fused_moe/cuda/added.cuh"
#include "kernels/fused_moe/cuda/gated.cuh"
#include "kernels/fused_moe/cuda/levels/kernels.hpp"
#include "kernels/fused_moe/cuda/levels/stream_kernel.cuh"

namespace adaptive::kernels::fused_moe::levels {

/// Calls use(kernel, shared_bytes, outputs) with the kernel of `Type` for a tile and a result. There is one
/// instantiation for each type, in a file of its own.
template <class Type, class Use>
cudaError_t with_stream(std::size_t index, Result result, const ResultOperands& of, const Use& use) {
  const auto with_tile = [&]<std::size_t i>() {
    constexpr StreamConfig c = stream_configs[i];
    constexpr int bytes = stream_shared_bytes(c, Type::lines);
    switch (result) {
      case Result::gated:
        return use(multiply_stream<Type, c.rows, c.columns, c.blocks, Gated>, bytes,
                   Gated{of.overlaps, of.activation});
      case Result::all:
        return use(multiply_stream<Type, c.rows, c.columns, c.blocks, grouped_gemm::AllOutputs>, bytes,
                   grouped_gemm::AllOutputs{of.overlaps});
      case Result::added:
        break;
    }
    return use(multiply_stream<Type, c.rows, c.columns, c.blocks, Added>, bytes,
               Added{of.overlaps, of.token_of, of.weight_of});
  };
  return index == 0 ? with_tile.template operator()<0>() : with_tile.template operator()<1>();
}

template <class Type>
cudaError_t prepare_stream_of(std::size_t index, Result result) noexcept {
  return with_stream<Type>(index, result, {}, [](auto* kernel, int bytes, const auto&) {
    return cuda::allow_shared_bytes(kernel, bytes);
  });
}

template <class Type>
cudaError_t launch_stream_of(std::size_t index, Result result, const ProductOperands& operands,
                             const ResultOperands& of_result, int blocks, cudaStream_t stream) noexcept {
  return with_stream<Type>(index, result, of_result, [&](auto* kernel, int bytes, const auto& outputs) {
    return cuda::launch(
        kernel,
        {.blocks = blocks, .threads = stream_threads, .shared_bytes = bytes, .overlaps = of_result.overlaps},
        stream, operands, outputs);
  });
}

}  // namespace adaptive::kernels::fused_moe::levels
