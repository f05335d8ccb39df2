#include "kernels/quantized_matmul/cuda/problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "kernels/common/cuda/tensor_map.hpp"
#include "kernels/common/float8.hpp"
#include "kernels/quantized_matmul/cuda/check.hpp"
#include "kernels/quantized_matmul/quantise.hpp"

namespace adaptive::kernels::quantized_matmul {
namespace {

std::size_t times(std::int64_t a, std::int64_t b) {
  return static_cast<std::size_t>(a) * static_cast<std::size_t>(b);
}

/// Segments of 128 columns, or of 128 rows.
int blocks_in(int size) {
  return (size + static_cast<int>(block_columns) - 1) / static_cast<int>(block_columns);
}

std::size_t x_scale_count(const DeviceOperands& o) {
  if (o.scales == Scales::tensor) return 1;
  return times(o.tokens, o.scales == Scales::block128 ? blocks_in(o.in_features) : 1);
}

std::size_t w_scale_count(const DeviceOperands& o) {
  if (o.scales == Scales::block128) return times(blocks_in(o.out_features), o.w_scale_stride);
  return o.scales == Scales::tensor ? 1 : static_cast<std::size_t>(o.out_features);
}

}  // namespace

DeviceOperands operands_of(const CudaSizes& sizes) {
  DeviceOperands o;
  o.tokens = static_cast<int>(sizes.tokens);
  o.out_features = static_cast<int>(sizes.out_features);
  o.in_features = static_cast<int>(sizes.in_features);
  o.w_scale_stride = (blocks_in(o.in_features) + 3) / 4 * 4;  // as cuBLASLt has it
  o.types = sizes.types;
  o.scales = sizes.scales;
  return o;
}

QuantizedOnCuda::QuantizedOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family)
    : PreparedProblem(shape, options, family),
      sizes_(shape),
      overlaps_(options.overlaps && runs(cuda::Instructions::cluster, device_.code())),
      largest_(largest_count) {
  const DeviceOperands o = operands_of(sizes_);
  w_bytes_ = cuda::copy_stride(times(sizes_.out_features, sizes_.in_features));
  copies_ = cuda::copies_in_turn(options.rotate_bytes, w_bytes_, w_bytes_);
  x_ = cuda::DeviceBuffer<std::uint16_t>(times(sizes_.tokens, sizes_.in_features));
  if (sizes_.types != Types::int8_w8a16) {
    levels_ = cuda::DeviceBuffer<std::uint8_t>(x_.size());
    x_scales_ = cuda::DeviceBuffer<float>(x_scale_count(o));
  }
  w_ = cuda::DeviceBuffer<std::uint8_t>(w_bytes_ * copies_);
  w_scales_ = cuda::DeviceBuffer<float>(w_scale_count(o));
  y_ = cuda::Output(sizes_.tokens * sizes_.out_features, cuda::Element::bfloat16);
  // Not the legacy stream, which would wait for all other streams and could break a capture of another
  // thread.
  fill(cudaStreamPerThread);
}

void QuantizedOnCuda::fill(cuda::Stream stream) {
  const auto size = static_cast<std::int64_t>(x_.size());
  cuda::check(cuda::fill_random(x_.data(), size, cuda::Element::bfloat16, options_.seed, stream), "fill x");
  cuda::check(
      spread_tokens(x_.data(), static_cast<int>(sizes_.tokens), static_cast<int>(sizes_.in_features), stream),
      "fill x");
  const std::uint64_t w_seed = options_.seed ^ 0x77656967687473u;
  for (std::size_t copy = 0; copy < copies_; ++copy)
    cuda::check(fill_levels(w_.data() + copy * w_bytes_, sizes_.out_features * sizes_.in_features,
                            sizes_.types, w_seed, stream),
                "fill w");
  // So that outputs are of order one.
  const float usual = 1 / ((sizes_.types == Types::fp8_w8a8 ? e4m3_max : int8_max) *
                           std::sqrt(static_cast<float>(sizes_.in_features)));
  cuda::check(fill_scales(w_scales_.data(), static_cast<std::int64_t>(w_scales_.size()), usual,
                          options_.seed ^ 0x7363616c6573u, stream),
              "fill scales");
  if (levels_.size() != 0) {
    // So that a launch that does not quantise is noticed.
    cuda::check(cudaMemsetAsync(levels_.data(), 0, levels_.size(), stream), "levels");
    cuda::check(cudaMemsetAsync(x_scales_.data(), 0xFF, x_scales_.size() * sizeof(float), stream), "scales");
    if (sizes_.quantised) cuda::check(quantise(stream), "quantise x");
  }
  poison_output(stream);
  cuda::check(cudaStreamSynchronize(stream), "quantized_matmul: random operands");
}

DeviceOperands QuantizedOnCuda::operands(std::size_t copy) const noexcept {
  DeviceOperands o = operands_of(sizes_);
  o.x = sizes_.types == Types::int8_w8a16 ? static_cast<const void*>(x_.data()) : levels_.data();
  o.x_scales = x_scales_.data();
  o.w = w_.data() + copy * w_bytes_;
  o.w_scales = w_scales_.data();
  o.y = y_.data();
  // No launch writes the weights: fill() has written them and waited for the end of that.
  o.overlaps = overlaps_;
  return o;
}

cudaError_t QuantizedOnCuda::quantise(cuda::Stream stream) noexcept {
  return launch_quantise({x_.data(), levels_.data(), x_scales_.data(), largest_.data()}, operands(0), stream);
}

std::unique_ptr<Slot> QuantizedOnCuda::make_slot(std::size_t variant) {
  auto slot = std::make_unique<Slot>();
  const Variant& described = family_.variant(variant);
  const auto method = parse_method(described.name, described.parameters);
  if (!method || !supports(*method, shape())) slot->status = LaunchStatus::unsupported;
  if (method && !available(*method)) slot->status = LaunchStatus::unavailable;
  if (slot->status != LaunchStatus::ok) return slot;
  slot->method = *method;
  switch (method->kind) {
    case Method::Kind::plain:
    case Method::Kind::few:
      break;
    case Method::Kind::stream:
      make_stream(*slot);
      break;
    case Method::Kind::split:
      make_split(*slot);
      break;
    case Method::Kind::wgmma:
      make_wgmma(*slot);
      break;
    case Method::Kind::convert:
      make_convert(*slot);
      break;
    case Method::Kind::dequantise:
      make_dequantise(*slot);
      break;
    case Method::Kind::library:
      make_library(*slot);
      break;
  }
  return slot;
}

void QuantizedOnCuda::make_wgmma(Slot& slot) {
  const std::size_t index = slot.method.index;
  const WgmmaConfig& config = wgmma_configs[index];
  cuda::check(sizes_.types == Types::fp8_w8a8 ? prepare_wgmma<Types::fp8_w8a8>(index, sizes_.scales)
                                              : prepare_wgmma<Types::int8_w8a8>(index, sizes_.scales),
              "shared memory of a kernel");
  int multiprocessors = 0;
  cuda::check(cudaDeviceGetAttribute(&multiprocessors, cudaDevAttrMultiProcessorCount, device_.ordinal()),
              "multiprocessors");
  const auto tiles = [](std::int64_t size, std::int64_t tile) { return (size + tile - 1) / tile; };
  const std::int64_t clusters = std::min<std::int64_t>(
      multiprocessors / config.cluster, tiles(sizes_.tokens, std::int64_t{config.tokens} * config.cluster) *
                                            tiles(sizes_.out_features, config.columns));
  slot.blocks = static_cast<int>(clusters) * config.cluster;
  make_maps(slot, map_of_x(config.tokens), config.columns / config.cluster);
}

/// In boxes of `rows` rows and 128 bytes.
CUtensorMap QuantizedOnCuda::map_of_x(int rows) const {
  if (sizes_.types == Types::int8_w8a16)
    return cuda::make_tensor_map(x_.data(), cuda::Element::bfloat16, sizes_.in_features, sizes_.tokens, 0,
                                 rows);
  return cuda::make_byte_map(levels_.data(), sizes_.in_features, sizes_.tokens, rows);
}

void QuantizedOnCuda::make_stream(Slot& slot) {
  const std::size_t index = slot.method.index;
  cuda::check(sizes_.types == Types::fp8_w8a8     ? prepare_stream<Types::fp8_w8a8>(index, sizes_.scales)
              : sizes_.types == Types::int8_w8a16 ? prepare_stream<Types::int8_w8a16>(index, sizes_.scales)
                                                  : prepare_stream<Types::int8_w8a8>(index, sizes_.scales),
              "shared memory of a kernel");
  make_maps(slot, map_of_x(stream_configs[index].tokens), stream_rows);
}

void QuantizedOnCuda::make_split(Slot& slot) {
  const std::size_t index = slot.method.index;
  cuda::check(sizes_.types == Types::fp8_w8a8 ? prepare_split<Types::fp8_w8a8>(index, sizes_.scales)
                                              : prepare_split<Types::int8_w8a8>(index, sizes_.scales),
              "shared memory of a kernel");
  make_maps(slot, map_of_x(split_tokens), split_configs[index].columns);
}

void QuantizedOnCuda::make_convert(Slot& slot) {
  const ConvertConfig& config = convert_configs[slot.method.index];
  cuda::check(prepare_convert(slot.method.index), "shared memory of a kernel");
  make_maps(slot, map_of_x(config.tokens), config.columns);
}

void QuantizedOnCuda::make_maps(Slot& slot, const CUtensorMap& x, int w_rows) {
  for (std::size_t copy = 0; copy < copies_; ++copy)
    slot.maps.push_back(
        {x, cuda::make_byte_map(operands(copy).w, sizes_.in_features, sizes_.out_features, w_rows)});
}

void QuantizedOnCuda::make_library(Slot& slot) {
  slot.product = std::make_unique<ScaledProduct>(device_.handle(), operands(0), slot.method.library.fast);
  const auto algorithm = slot.product->find(slot.method.library.algorithm);
  if (!algorithm) {
    slot.status = LaunchStatus::unsupported;
    return;
  }
  slot.algorithm = *algorithm;
  if (sizes_.types == Types::int8_w8a8 && sums_.size() == 0)
    sums_ = cuda::DeviceBuffer<std::int32_t>(times(sizes_.tokens, sizes_.out_features));
}

void QuantizedOnCuda::make_dequantise(Slot& slot) {
  slot.plan = device_.plan({sizes_.tokens, sizes_.out_features, sizes_.in_features,
                            static_cast<std::int64_t>(cuda::Element::bfloat16)});
  const auto& candidates = slot.plan->candidates();
  const auto algorithm = candidates.empty() ? std::nullopt : slot.plan->find(candidates.front());
  if (!algorithm) {
    slot.status = LaunchStatus::unsupported;
    return;
  }
  slot.algorithm = *algorithm;
  if (weights_.size() == 0)
    weights_ = cuda::DeviceBuffer<std::uint16_t>(times(sizes_.out_features, sizes_.in_features));
}

LaunchStatus QuantizedOnCuda::enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept {
  void* workspace = nullptr;
  if (slot.algorithm.workspace > 0) {
    workspace = device_.find_workspace(stream);
    if (workspace == nullptr) return LaunchStatus::unprepared;
  }
  const bool quantises = !sizes_.quantised && sizes_.types != Types::int8_w8a16;
  if (quantises && quantise(stream) != cudaSuccess) return LaunchStatus::failed;
  return multiply(slot, operands(copy), copy, workspace, stream) ? LaunchStatus::ok : LaunchStatus::failed;
}

bool QuantizedOnCuda::multiply(const Slot& slot, const DeviceOperands& now, std::size_t copy, void* workspace,
                               cuda::Stream stream) noexcept {
  const std::size_t index = slot.method.index;
  switch (slot.method.kind) {
    case Method::Kind::plain:
      break;
    case Method::Kind::few:
      return (sizes_.types == Types::fp8_w8a8 ? launch_few<Types::fp8_w8a8>(index, now, stream)
              : sizes_.types == Types::int8_w8a16
                  ? launch_few<Types::int8_w8a16>(index, now, stream)
                  : launch_few<Types::int8_w8a8>(index, now, stream)) == cudaSuccess;
    case Method::Kind::stream:
      return (sizes_.types == Types::fp8_w8a8
                  ? launch_stream<Types::fp8_w8a8>(index, slot.maps[copy], now, stream)
              : sizes_.types == Types::int8_w8a16
                  ? launch_stream<Types::int8_w8a16>(index, slot.maps[copy], now, stream)
                  : launch_stream<Types::int8_w8a8>(index, slot.maps[copy], now, stream)) == cudaSuccess;
    case Method::Kind::split:
      return (sizes_.types == Types::fp8_w8a8
                  ? launch_split<Types::fp8_w8a8>(index, slot.maps[copy], now, stream)
                  : launch_split<Types::int8_w8a8>(index, slot.maps[copy], now, stream)) == cudaSuccess;
    case Method::Kind::wgmma:
      return (sizes_.types == Types::fp8_w8a8
                  ? launch_wgmma<Types::fp8_w8a8>(index, slot.maps[copy], now, slot.blocks, stream)
                  : launch_wgmma<Types::int8_w8a8>(index, slot.maps[copy], now, slot.blocks, stream)) ==
             cudaSuccess;
    case Method::Kind::convert:
      return launch_convert(index, slot.maps[copy], now, stream) == cudaSuccess;
    case Method::Kind::dequantise:
      return launch_dequantise(now, weights_.data(), stream) == cudaSuccess &&
             slot.plan->launch(slot.algorithm, {now.x, weights_.data(), now.y}, workspace, stream) ==
                 CUBLAS_STATUS_SUCCESS;
    case Method::Kind::library: {
      const bool integers = sizes_.types == Types::int8_w8a8;
      void* y = integers ? static_cast<void*>(sums_.data()) : now.y;
      return slot.product->launch(slot.algorithm, now, y, workspace, stream) == CUBLAS_STATUS_SUCCESS &&
             (!integers || launch_scale_sums(sums_.data(), now, stream) == cudaSuccess);
    }
  }
  return launch_plain(now, stream) == cudaSuccess;
}

void QuantizedOnCuda::set_reference(cuda::Stream stream) {
  auto places = cuda::compared_places(y_.elements(), options_.seed);
  for (cuda::Expected& place : places) {
    place.x_row = place.at / sizes_.out_features;
    place.w_row = place.at % sizes_.out_features;
  }
  const cuda::DeviceBuffer<cuda::Expected> on_device(places.size());
  const cuda::DeviceBuffer<unsigned> largest(1);
  const std::size_t bytes = places.size() * sizeof(cuda::Expected);
  cuda::check(cudaMemcpyAsync(on_device.data(), places.data(), bytes, cudaMemcpyHostToDevice, stream),
              "reference");
  cuda::check(cudaMemsetAsync(largest.data(), 0, sizeof(unsigned), stream), "reference");
  cuda::check(find_largest_of_all(x_.data(), static_cast<std::int64_t>(x_.size()), largest.data(), stream),
              "reference");
  cuda::check(compute_expected(x_.data(), largest.data(), operands(0), on_device.data(),
                               static_cast<std::int64_t>(places.size()), stream),
              "reference");
  cuda::check(cudaMemcpyAsync(places.data(), on_device.data(), bytes, cudaMemcpyDeviceToHost, stream),
              "reference");
  cuda::check(cudaStreamSynchronize(stream), "reference");
  y_.set_reference(places, stream);
}

double QuantizedOnCuda::tolerance_exact() const noexcept {
  // As on the host: the rounding errors of a long sum grow like a random walk; 4 covers the few roundings of
  // each term.
  return static_cast<double>(std::numeric_limits<float>::epsilon()) *
         (4 + std::sqrt(static_cast<double>(sizes_.in_features)) / 4);
}

double QuantizedOnCuda::tolerance() const noexcept {
  const double length = std::sqrt(static_cast<double>(sizes_.in_features));
  // As in dense_gemm: Hopper's tensor cores add float8 products with about 13 bits after the binary point of
  // the largest product.
  if (sizes_.types == Types::fp8_w8a8) return 0x1p-13 * (1 + length / 16);
  // As in mixed_bit_matmul: weights rounded to bfloat16.
  if (sizes_.types == Types::int8_w8a16) return tolerance_exact() + 0x1p-8 * std::min(1.0, 4 / length);
  return tolerance_exact();
}

double QuantizedOnCuda::bytes() const noexcept {
  const double levels = static_cast<double>(x_.size());
  const double x = sizes_.quantised ? levels + 4 * static_cast<double>(x_scales_.size()) : 2 * levels;
  return x + static_cast<double>(times(sizes_.out_features, sizes_.in_features)) +
         4 * static_cast<double>(w_scales_.size()) + static_cast<double>(y_.bytes());
}

double QuantizedOnCuda::operations() const noexcept {
  return 2.0 * static_cast<double>(sizes_.tokens) * static_cast<double>(sizes_.out_features) *
         static_cast<double>(sizes_.in_features);
}

}  // namespace adaptive::kernels::quantized_matmul
