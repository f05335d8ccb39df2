#include "kernels/fused_moe/cuda/levels/layer.hpp"

#include <limits>

#include "kernels/common/cuda/tensor_map.hpp"

namespace adaptive::kernels::fused_moe::levels {
namespace {

namespace gg = grouped_gemm;

/// The tile of one of the products.
struct TileSize {
  int rows, columns, blocks;
};

TileSize size_of_tile(const Pair& pair, std::size_t index) {
  if (pair.is_wgmma) return {wgmma_configs[index].rows, wgmma_configs[index].columns, 1};
  return {stream_configs[index].rows, stream_configs[index].columns, stream_configs[index].blocks};
}

// An upper limit of the number of tiles of any routing of this shape.
std::int64_t tiles_at_most(const TileSize& tile, const DeviceSizes& sizes, std::int64_t outputs) {
  const std::int64_t rows = sizes.pairs();
  const std::int64_t row_tiles = std::min(rows, sizes.filled + (rows - sizes.filled) / tile.rows);
  return row_tiles * ((outputs + tile.columns - 1) / tile.columns);
}

int blocks_of(const TileSize& tile, const DeviceSizes& sizes, std::int64_t outputs,
              const gg::Capability& device) {
  const std::int64_t resident = std::max(std::int64_t{device.multiprocessors} * tile.blocks, std::int64_t{1});
  return static_cast<int>(std::clamp<std::int64_t>(tiles_at_most(tile, sizes, outputs), 1, resident));
}

template <class Use>
auto with_type(DeviceType type, const Use& use) {
  switch (type) {
    case DeviceType::int8_w8a16:
      return use.template operator()<DeviceType::int8_w8a16>();
    case DeviceType::int4_w4a16:
      return use.template operator()<DeviceType::int4_w4a16>();
    case DeviceType::int8_w8a8:
      return use.template operator()<DeviceType::int8_w8a8>();
    case DeviceType::fp8_w8a8:
    case DeviceType::bfloat16:  // `supports` excludes it
      break;
  }
  return use.template operator()<DeviceType::fp8_w8a8>();
}

constexpr Result down_result(const Pair& pair) {
  return pair.sum == Sum::atomic ? Result::added : Result::all;
}

bool quantises(DeviceType type) {
  return type == DeviceType::fp8_w8a8 || type == DeviceType::int8_w8a8;
}

/// The rows of h that are here, quantised for the second product.
Quantised quantised_h(const Scratch& scratch, const Layer& layer, const int* row_count) {
  const int pairs = layer.tokens * layer.top_k;
  return {.x = scratch.h.data(),
          .row_count = row_count,
          .levels = scratch.h_levels.data(),
          .scales = scratch.h_scales.data(),
          .rows = pairs,
          .columns = layer.intermediate_size,
          .scale_stride = pairs,
          .by_segment = layer.type == DeviceType::fp8_w8a8};
}

Quantised quantised_x(const Scratch& scratch, const Layer& layer) {
  return {.x = layer.x,
          .levels = scratch.x_levels.data(),
          .scales = scratch.x_scales.data(),
          .rows = layer.tokens,
          .columns = layer.hidden_size,
          .scale_stride = layer.tokens,
          .by_segment = layer.type == DeviceType::fp8_w8a8};
}

}  // namespace

bool available(const Pair& pair, const gg::Capability& device) {
  const int bytes = pair.is_wgmma ? wgmma_shared_bytes(wgmma_configs[pair.up])
                                  : 228 * 1024 / stream_configs[pair.up].blocks - 1024;
  return bytes <= device.shared_bytes && runs(cuda::Instructions::hopper, device.code);
}

bool supports(const Pair& pair, const DeviceSizes& sizes) {
  if (sizes.weights == DeviceType::bfloat16) return false;
  if (pair.is_wgmma && sizes.weights != DeviceType::fp8_w8a8) return false;
  // Loads and stores must be complete 16-byte pieces, and slabs of weights of 4 bits complete.
  const std::int64_t piece = sizes.weights == DeviceType::int4_w4a16 ? 128 : 16;
  if (sizes.hidden_size % piece != 0 || sizes.intermediate_size % piece != 0) return false;
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  return sizes.experts <= gg::experts_max && sizes.experts * sizes.hidden_size <= most &&
         sizes.experts * 2 * sizes.intermediate_size <= most &&
         tiles_at_most(size_of_tile(pair, pair.up), sizes, 2 * sizes.intermediate_size) <= most / 2 &&
         tiles_at_most(size_of_tile(pair, pair.down), sizes, sizes.hidden_size) <= most / 2;
}

std::uint64_t scratch_bytes(const Pair* pair, const DeviceSizes& sizes) {
  const std::int64_t pairs = sizes.pairs();
  const std::int64_t hidden = sizes.hidden_size, width = sizes.intermediate_size;
  const bool sorts = pair != nullptr && pair->is_wgmma;
  std::int64_t bytes = sorts ? 0 : 2 * pairs * width;
  if (pair != nullptr && pair->sum == Sum::slots) bytes += 2 * pairs * hidden;
  if (sizes.quantises())
    bytes += (sorts ? pairs : sizes.tokens) * (hidden + 4 * row_scales(sizes.weights, hidden)) +
             pairs * (width + 4 * row_scales(sizes.weights, width));
  return static_cast<std::uint64_t>(bytes);
}

void Scratch::make(const Pair* pair, const DeviceSizes& sizes) {
  const auto make_one = [](auto& buffer, std::int64_t size) {
    if (buffer.size() == 0)
      buffer = std::remove_reference_t<decltype(buffer)>(static_cast<std::size_t>(size));
  };
  const std::int64_t pairs = sizes.pairs();
  const bool sorts = pair != nullptr && pair->is_wgmma;
  if (!sorts) make_one(h, 2 * pairs * sizes.intermediate_size);
  if (pair != nullptr && pair->sum == Sum::slots) make_one(z, 2 * pairs * sizes.hidden_size);
  if (!sizes.quantises()) return;
  const std::int64_t scales = row_scales(sizes.weights, sizes.hidden_size);
  if (sorts) {
    make_one(sorted_levels, pairs * sizes.hidden_size);
    make_one(sorted_scales, pairs * scales);
  } else {
    make_one(x_levels, sizes.tokens * sizes.hidden_size);
    make_one(x_scales, sizes.tokens * scales);
  }
  make_one(h_levels, pairs * sizes.intermediate_size);
  make_one(h_scales, pairs * row_scales(sizes.weights, sizes.intermediate_size));
}

Prepared prepare(const Pair& pair, const DeviceSizes& sizes, const Scratch& scratch,
                 const std::vector<Layer>& layers, const gg::Capability& device) {
  Prepared prepared;
  prepared.blocks_up = blocks_of(size_of_tile(pair, pair.up), sizes, 2 * sizes.intermediate_size, device);
  prepared.blocks_down = blocks_of(size_of_tile(pair, pair.down), sizes, sizes.hidden_size, device);
  const Result down = down_result(pair);
  if (!pair.is_wgmma) {
    with_type(sizes.weights, [&]<DeviceType type>() {
      cuda::check(prepare_stream<type>(pair.up, Result::gated), "shared memory of a kernel");
      cuda::check(prepare_stream<type>(pair.down, down), "shared memory of a kernel");
    });
    return prepared;
  }
  cuda::check(prepare_wgmma(pair.up, Result::gated), "shared memory of a kernel");
  cuda::check(prepare_wgmma(pair.down, down), "shared memory of a kernel");
  const std::int64_t hidden = sizes.hidden_size, width = sizes.intermediate_size, pairs = sizes.pairs();
  for (const Layer& layer : layers) {
    prepared.up.push_back({cuda::make_byte_map(scratch.sorted_levels.data(), hidden, pairs, 64),
                           cuda::make_interleaved_byte_map(layer.up, hidden, width, sizes.experts,
                                                           wgmma_configs[pair.up].columns)});
    prepared.down.push_back(
        {cuda::make_byte_map(scratch.h_levels.data(), width, pairs, 64),
         cuda::make_byte_map(layer.down, width, sizes.experts * hidden, wgmma_configs[pair.down].columns)});
  }
  return prepared;
}

cudaError_t enqueue(const Pair& pair, const Prepared& prepared, const Scratch& scratch, const Layer& layer,
                    const Alignment& alignment, std::size_t copy, bool overlaps,
                    cudaStream_t stream) noexcept {
  const DeviceType type = layer.type;
  const bool atomic = pair.sum == Sum::atomic;
  const bool levels = quantises(type);
  const int pairs = alignment.pairs;
  const int* const row_count = alignment.ends + alignment.experts - 1;
  const std::size_t y_bytes =
      static_cast<std::size_t>(layer.tokens) * static_cast<std::size_t>(layer.hidden_size) * 2;
  // Rows that need not be sorted are quantised by the kernel that sorts.
  const bool with_align = type == DeviceType::fp8_w8a8 && !pair.is_wgmma;
  const Quantised all_x = quantised_x(scratch, layer);
  cudaError_t status =
      launch_align(alignment, atomic ? layer.y : nullptr, y_bytes, stream, with_align ? &all_x : nullptr);
  const auto then = [&](const auto& launch) {
    if (status == cudaSuccess) status = launch();
  };
  if (levels && !with_align)
    then([&] {
      Quantised q = all_x;
      if (pair.is_wgmma) {
        q.row_of = alignment.token_of;
        q.row_count = row_count;
        q.levels = scratch.sorted_levels.data();
        q.scales = scratch.sorted_scales.data();
        q.rows = q.scale_stride = pairs;
      }
      return launch_quantise(q, overlaps, stream);
    });
  const ProductOperands up = {
      .x = !levels         ? layer.x
           : pair.is_wgmma ? scratch.sorted_levels.data()
                           : static_cast<const void*>(scratch.x_levels.data()),
      .x_scales = pair.is_wgmma ? scratch.sorted_scales.data() : scratch.x_scales.data(),
      .x_scale_stride = pair.is_wgmma ? pairs : layer.tokens,
      .w = layer.up,
      .w_scales = static_cast<const float*>(layer.up_scales),
      .y = pair.is_wgmma ? scratch.h_levels.data() : scratch.h.data(),
      .ends = alignment.ends,
      .row_of = pair.is_wgmma ? nullptr : alignment.token_of,
      .n = 2 * layer.intermediate_size,
      .k = layer.hidden_size,
      .experts = layer.experts};
  const ResultOperands of_up = {.activation = layer.activation,
                                .scales = scratch.h_scales.data(),
                                .scale_stride = pairs,
                                .overlaps = overlaps};
  const ProductOperands down = {.x = levels ? scratch.h_levels.data() : scratch.h.data(),
                                .x_scales = scratch.h_scales.data(),
                                .x_scale_stride = pairs,
                                .w = layer.down,
                                .w_scales = static_cast<const float*>(layer.down_scales),
                                .y = atomic ? layer.y : static_cast<void*>(scratch.z.data()),
                                .ends = alignment.ends,
                                .n = layer.hidden_size,
                                .k = layer.intermediate_size,
                                .experts = layer.experts};
  const ResultOperands of_down = {
      .token_of = alignment.token_of, .weight_of = alignment.weight_of, .overlaps = overlaps};
  const Result down_is = down_result(pair);
  if (pair.is_wgmma) {
    then([&] {
      return launch_wgmma(pair.up, Result::gated, prepared.up[copy], up, of_up, prepared.blocks_up, stream);
    });
    then([&] {
      return launch_wgmma(pair.down, down_is, prepared.down[copy], down, of_down, prepared.blocks_down,
                          stream);
    });
  } else {
    with_type(type, [&]<DeviceType weights>() {
      then([&] {
        return launch_stream<weights>(pair.up, Result::gated, up, of_up, prepared.blocks_up, stream);
      });
      if (levels)
        then([&] { return launch_quantise(quantised_h(scratch, layer, row_count), overlaps, stream); });
      then([&] {
        return launch_stream<weights>(pair.down, down_is, down, of_down, prepared.blocks_down, stream);
      });
    });
  }
  if (!atomic)
    then([&] {
      return launch_weighted_sum(alignment, scratch.z.data(), layer.y, layer.tokens, layer.hidden_size,
                                 overlaps, stream);
    });
  return status;
}

cudaError_t enqueue_plain(const Scratch& scratch, const Layer& layer, cudaStream_t stream) noexcept {
  PlainOperands plain = {.layer = layer, .x = layer.x, .h = scratch.h.data()};
  const bool levels = quantises(layer.type);
  cudaError_t status = cudaSuccess;
  if (levels) {
    status = launch_quantise(quantised_x(scratch, layer), false, stream);
    plain.x = scratch.x_levels.data();
    plain.x_scales = scratch.x_scales.data();
    plain.h_levels = scratch.h_levels.data();
    plain.h_scales = scratch.h_scales.data();
  }
  if (status == cudaSuccess) status = launch_plain_up(plain, stream);
  if (status == cudaSuccess && levels)
    status = launch_quantise(quantised_h(scratch, layer, nullptr), false, stream);
  return status == cudaSuccess ? launch_plain_down(plain, stream) : status;
}

}  // namespace adaptive::kernels::fused_moe::levels
