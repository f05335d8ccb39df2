#include "kernels/mixed_bit_matmul/cuda/problem.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "kernels/common/cuda/tensor_map.hpp"

namespace adaptive::kernels::mixed_bit_matmul {
namespace {

/// Maximum number of times that a launch may read the weights.
constexpr std::int64_t passes_max = 16;
constexpr std::int64_t grid_rows_max = 65535;
constexpr std::int64_t split_units_max = std::numeric_limits<std::int32_t>::max() - 1;
constexpr std::int64_t split_pieces_max = std::numeric_limits<std::uint32_t>::max();

/// Tokens of the boxes in which kernels copy activations.
constexpr std::array<int, 3> box_tokens = {16, 32, wgmma_box_tokens};

const CUtensorMap& map_of(const std::vector<CUtensorMap>& maps, int tokens) {
  return maps[static_cast<std::size_t>(std::find(box_tokens.begin(), box_tokens.end(), tokens) -
                                       box_tokens.begin())];
}

Precision precision_of(cuda::Element type) {
  return type == cuda::Element::float16 ? Precision::float16 : Precision::bfloat16;
}

std::size_t rounded_up(std::size_t size) {
  return (size + 127) / 128 * 128;
}

template <class T>
void upload_to(const cuda::DeviceBuffer<T>& to, const T* from, std::size_t size, cudaStream_t stream) {
  if (size == 0) return;
  cuda::check(cudaMemcpyAsync(to.data(), from, size * sizeof(T), cudaMemcpyHostToDevice, stream), "operands");
}

/// Converts [blocks][groups][2][16] to the pairs of packing.cuh: `size` numbers, with zeros for groups that
/// do not exist.
std::vector<float> packed_scales(const Operands& host, std::size_t size) {
  std::vector<float> pairs(size);
  const auto groups = static_cast<std::size_t>(host.groups);
  const std::size_t of_block =
      static_cast<std::size_t>(chunks_of(static_cast<int>(groups))) * chunk_scale_bytes / 4;
  for (std::size_t b = 0; b < static_cast<std::size_t>(host.block_count); ++b)
    for (std::size_t g = 0; g < groups; ++g) {
      const float* from = host.scales + (b * groups + g) * 2 * block_rows;
      for (std::size_t row = 0; row < block_rows; ++row) {
        const std::size_t pair =
            b * of_block + static_cast<std::size_t>(scale_at(static_cast<int>(row), static_cast<int>(g)));
        pairs[2 * pair] = from[row];
        pairs[2 * pair + 1] = from[block_rows + row];
      }
    }
  return pairs;
}

std::vector<BlockPair> pairs_of(const Operands& host) {
  std::vector<BlockPair> pairs;
  for (const int bits : widths) {
    bool open = false;  // whether the last pair has room for a second block
    for (std::int64_t b = 0; b < host.block_count; ++b) {
      if (host.block_bits[b] != bits) continue;
      const int block = static_cast<int>(b);
      if (open)
        pairs.back().second = block;
      else
        pairs.push_back({block, block});
      open = !open;
    }
  }
  return pairs;
}

cudaError_t prepare_kernel(const Method& method, cuda::Element type) {
  return cuda::for_type(type, [&]<cuda::Element known>() {
    switch (method.kind) {
      case Method::Kind::decode:
        return prepare_decode<known>(method.index);
      case Method::Kind::mma:
        return prepare_mma<known>(method.index);
      case Method::Kind::split:
        return prepare_split<known>(split_configs[method.index].tile);
      case Method::Kind::balanced:
        return prepare_balanced<known>(method.index);
      case Method::Kind::wgmma:
        return prepare_wgmma<known>(method.index);
      default:
        return cudaSuccess;
    }
  });
}

int multiprocessors() {
  int device = 0, count = 0;
  cuda::check(cudaGetDevice(&device), "mixed_bit_matmul: device");
  cuda::check(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device), "multiprocessors");
  return count;
}

int bits_max_of(const Shape& shape) {
  int most = 0;
  for (std::size_t w = 0; w < widths.size(); ++w)
    if ((Sizes(shape).bits_mask >> w & 1) != 0) most = std::max(most, widths[w]);
  return most;
}

}  // namespace

bool available(const Method& method, const cuda::LoadedCode& code) {
  if (method.kind == Method::Kind::plain || method.kind == Method::Kind::dequantise) return code.major > 0;
  return runs(cuda::Instructions::hopper, code);
}

bool supports(const Method& method, const Shape& shape) {
  const Sizes sizes(shape);
  const int groups = static_cast<int>((sizes.in_features + group_size - 1) / group_size);
  if (method.kind == Method::Kind::decode) {
    const int tokens = static_cast<int>(std::min<std::int64_t>(sizes.tokens, decode_tokens));
    return sizes.tokens <= passes_max * decode_tokens &&
           decode_bytes(decode_configs[method.index], tokens, groups) <= shared_bytes_max;
  }
  if (method.kind == Method::Kind::mma) {
    const MmaConfig& config = mma_configs[method.index];
    const int tokens = static_cast<int>(std::min<std::int64_t>(sizes.tokens, config.tokens));
    return sizes.tokens <= passes_max * config.tokens &&
           mma_stages(config, tokens, bits_max_of(shape)).count > 0;
  }
  if (method.kind == Method::Kind::split) {
    const auto [tile_index, parts] = split_configs[method.index];
    const SplitTile& tile = split_tiles[static_cast<std::size_t>(tile_index)];
    const std::int64_t tiles =
        ((sizes.tokens + tile.tokens - 1) / tile.tokens) * ((sizes.out_features + tile.rows - 1) / tile.rows);
    const std::int64_t pieces = (sizes.out_features + rows_of_block - 1) / rows_of_block * chunks_of(groups) *
                                (chunk_word_bytes(bits_max_of(shape)) / 16);
    return tiles <= split_units_max / chunks_of(groups) && pieces <= split_pieces_max &&
           split_stages(tile, bits_max_of(shape), parts).words > 0 && parts <= chunks_of(groups);
  }
  if (method.kind == Method::Kind::balanced) {
    const BalancedConfig& config = balanced_configs[method.index];
    const std::int64_t tiles = ((sizes.tokens + config.tokens - 1) / config.tokens) *
                               ((sizes.out_features + config.rows - 1) / config.rows);
    return sizes.out_features % 8 == 0 && tiles <= split_units_max / std::max(groups, 1);
  }
  if (method.kind == Method::Kind::wgmma)
    return sizes.out_features % 8 == 0 &&
           (sizes.tokens + wgmma_configs[method.index].tokens - 1) / wgmma_configs[method.index].tokens <=
               grid_rows_max;
  return true;
}

cuda::Element type_of(const Shape& shape) {
  return static_cast<cuda::Element>(shape[4]);
}

Storage::Storage(const Shape& shape, const cuda::ProblemOptions& options)
    : data(shape, options.seed, precision_of(type_of(shape))), type(type_of(shape)) {
  const Operands& host = data.operands();
  const std::int64_t chunks = chunks_of(static_cast<int>(host.groups));
  std::vector<std::int64_t> host_words_at;
  std::int64_t word_count = 0;
  for (std::int64_t b = 0; b < host.block_count; ++b) {
    host_words_at.push_back(word_count);
    word_count += chunks * chunk_word_bytes(host.block_bits[b]) / 4;
  }
  const std::vector<BlockPair> host_pairs = pairs_of(host);
  pairs = host_pairs.size();
  words_of_copy = rounded_up(static_cast<std::size_t>(word_count));
  scales_of_copy = rounded_up(static_cast<std::size_t>(host.block_count * chunks * chunk_scale_bytes / 2));
  const std::size_t copy_bytes = 4 * words_of_copy + 2 * scales_of_copy;
  copies = cuda::copies_in_turn(options.rotate_bytes, copy_bytes, copy_bytes);
  const auto blocks = static_cast<std::size_t>(host.block_count);
  x = cuda::DeviceBuffer<std::uint16_t>(data.activations().size());
  words = cuda::DeviceBuffer<std::uint32_t>(words_of_copy * copies);
  scales = cuda::DeviceBuffer<std::uint16_t>(scales_of_copy * copies);
  words_at = cuda::DeviceBuffer<std::int64_t>(blocks);
  block_bits = cuda::DeviceBuffer<int>(blocks);
  block_pairs = cuda::DeviceBuffer<BlockPair>(pairs);
  // Not the legacy stream, which would wait for all other streams and could break a capture of another
  // thread.
  upload(host_words_at, host_pairs, cudaStreamPerThread);
}

void Storage::upload(const std::vector<std::int64_t>& host_words_at, const std::vector<BlockPair>& host_pairs,
                     cuda::Stream stream) {
  const Operands& host = data.operands();
  const auto blocks = static_cast<std::size_t>(host.block_count);
  std::vector<std::int64_t> from_at(blocks);
  for (std::size_t b = 0; b < blocks; ++b) from_at[b] = host.words[b] - host.words[0];
  upload_to(words_at, host_words_at.data(), blocks, stream);
  upload_to(block_bits, host.block_bits, blocks, stream);
  upload_to(block_pairs, host_pairs.data(), host_pairs.size(), stream);
  const std::vector<float> host_scales = packed_scales(host, scales_of_copy);
  const cuda::DeviceBuffer<std::int64_t> from(blocks);
  const cuda::DeviceBuffer<std::uint32_t> plain_words(data.words().size());
  const cuda::DeviceBuffer<float> wide_x(data.activations().size());
  const cuda::DeviceBuffer<float> wide_scales(host_scales.size());
  upload_to(from, from_at.data(), blocks, stream);
  upload_to(plain_words, data.words().data(), data.words().size(), stream);
  upload_to(wide_x, data.activations().data(), data.activations().size(), stream);
  upload_to(wide_scales, host_scales.data(), host_scales.size(), stream);
  const auto size_of = [](const auto& buffer) { return static_cast<std::int64_t>(buffer.size()); };
  cuda::check(launch_convert(wide_x.data(), x.data(), size_of(wide_x), type, stream), "convert x");
  if (words.size() != 0)
    cuda::check(cudaMemsetAsync(words.data(), 0, words.size() * sizeof(std::uint32_t), stream), "words");
  for (std::size_t copy = 0; copy < copies; ++copy) {
    cuda::check(launch_repack(plain_words.data(), from.data(), operands(copy),
                              words.data() + copy * words_of_copy, stream),
                "repack");
    cuda::check(launch_convert(wide_scales.data(), scales.data() + copy * scales_of_copy,
                               size_of(wide_scales), type, stream),
                "convert scales");
  }
  cuda::check(cudaStreamSynchronize(stream), "mixed_bit_matmul: operands");
}

// Everything except the output and what the shape of one problem says.
DeviceOperands Storage::operands(std::size_t copy) const noexcept {
  return {.x = x.data(),
          .words = words.data() + copy * words_of_copy,
          .words_at = words_at.data(),
          .block_bits = block_bits.data(),
          .scales = scales.data() + copy * scales_of_copy,
          .y = nullptr,
          .tokens = static_cast<int>(data.operands().tokens),
          .out_features = static_cast<int>(data.operands().out_features),
          .groups = static_cast<int>(data.operands().groups),
          .blocks = static_cast<int>(data.operands().block_count),
          .bits_max = 0,
          .block_pairs = block_pairs.data(),
          .pairs = static_cast<int>(pairs),
          .one_width = false,
          .type = type};
}

SplitMemory::SplitMemory(const SplitTile& tile, int multiprocessors)
    : blocks(multiprocessors * tile.resident()),
      sums(tile.cluster ? 0 : split_scratch_floats(tile, blocks)),
      counters(static_cast<std::size_t>(blocks * tile.rows / 64)) {
  cuda::check(cudaMemsetAsync(counters.data(), 0, counters.size() * sizeof(int), cudaStreamPerThread),
              "mixed_bit_matmul: counters");
  cuda::check(cudaStreamSynchronize(cudaStreamPerThread), "mixed_bit_matmul: counters");
}

SplitScratch SplitMemory::scratch() const noexcept {
  return {.sums = reinterpret_cast<float4*>(sums.data()), .counters = counters.data(), .blocks = blocks};
}

BalancedMemory::BalancedMemory(const BalancedConfig& config, int multiprocessors)
    : blocks(multiprocessors),
      sums(static_cast<std::size_t>(blocks) * static_cast<std::size_t>(config.rows * config.tokens)),
      counters(static_cast<std::size_t>(blocks * config.groups())) {
  cuda::check(cudaMemsetAsync(counters.data(), 0, counters.size() * sizeof(int), cudaStreamPerThread),
              "mixed_bit_matmul: counters");
  cuda::check(cudaStreamSynchronize(cudaStreamPerThread), "mixed_bit_matmul: counters");
}

BalancedScratch BalancedMemory::scratch() const noexcept {
  return {.sums = reinterpret_cast<float4*>(sums.data()), .counters = counters.data(), .blocks = blocks};
}

MixedBitOnCuda::MixedBitOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family,
                               const std::vector<Method>& methods)
    : PreparedProblem(shape, options, family),
      methods_(methods),
      sizes_(shape),
      type_(type_of(shape)),
      overlaps_(options.overlaps && runs(cuda::Instructions::hopper, device_.code())) {
  const MixedBitOnCuda* lender = cuda::lender_of<MixedBitOnCuda>(options, shape, {});
  storage_ = lender != nullptr ? lender->storage_ : std::make_shared<Storage>(shape, options);
  copies_ = storage_->copies;
  y_ = cuda::Output(sizes_.tokens * sizes_.out_features, type_);
  poison_output(cudaStreamPerThread);
  cuda::check(cudaStreamSynchronize(cudaStreamPerThread), "mixed_bit_matmul: output");
  if (sizes_.tokens > 0 && runs(cuda::Instructions::hopper, device_.code()))
    for (const int tokens : box_tokens)
      x_maps_.push_back(cuda::make_tensor_map(storage_->x.data(), type_,
                                              storage_->data.operands().groups * group_size, sizes_.tokens, 0,
                                              tokens));
}

std::string MixedBitOnCuda::description() const {
  return family_.name() + " " + storage_->data.description() +
         (type_ == cuda::Element::float16 ? " float16" : " bfloat16") +
         (sizes_.tokens < storage_->data.operands().tokens ? ", the first " + std::to_string(sizes_.tokens)
                                                           : "") +
         " seed=" + std::to_string(options_.seed) + " copies=" + std::to_string(copies_);
}

DeviceOperands MixedBitOnCuda::operands(std::size_t copy) const noexcept {
  DeviceOperands now = storage_->operands(copy);
  now.y = y_.data();
  now.tokens = static_cast<int>(sizes_.tokens);
  now.bits_max = bits_max_of(shape());
  // No launch writes anything but the output: Storage has written the operands and waited for the end of
  // that.
  now.overlaps = overlaps_;
  now.one_width = std::has_single_bit(static_cast<std::uint64_t>(sizes_.bits_mask));
  return now;
}

std::unique_ptr<Slot> MixedBitOnCuda::make_slot(std::size_t variant) {
  auto slot = std::make_unique<Slot>();
  slot->method = methods_[variant];
  if (!available(slot->method, device_.code())) slot->status = LaunchStatus::unavailable;
  if (!supports(slot->method, shape())) slot->status = LaunchStatus::unsupported;
  if (slot->status != LaunchStatus::ok || sizes_.tokens == 0) return slot;
  cuda::check(prepare_kernel(slot->method, type_), "mixed_bit_matmul: kernel");
  if (slot->method.kind == Method::Kind::split) {
    const auto tile = static_cast<std::size_t>(split_configs[slot->method.index].tile);
    if (!split_memory_[tile]) split_memory_[tile].emplace(split_tiles[tile], multiprocessors());
  }
  if (slot->method.kind == Method::Kind::balanced && !balanced_memory_[slot->method.index])
    balanced_memory_[slot->method.index].emplace(balanced_configs[slot->method.index], multiprocessors());
  if (slot->method.kind != Method::Kind::dequantise) return slot;
  const std::int64_t k = storage_->data.operands().groups * group_size;
  slot->plan = device_.plan({sizes_.tokens, sizes_.out_features, k, static_cast<std::int64_t>(type_)});
  const auto& candidates = slot->plan->candidates();
  const auto algorithm = candidates.empty() ? std::nullopt : slot->plan->find(candidates.front());
  if (!algorithm) {
    slot->status = LaunchStatus::unsupported;
    return slot;
  }
  slot->algorithm = *algorithm;
  if (storage_->weights.size() == 0)
    storage_->weights = cuda::DeviceBuffer<std::uint16_t>(static_cast<std::size_t>(sizes_.out_features * k));
  return slot;
}

LaunchStatus MixedBitOnCuda::enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept {
  if (sizes_.tokens == 0) return LaunchStatus::ok;
  const DeviceOperands now = operands(copy);
  const std::size_t index = slot.method.index;
  bool enqueued = false;
  switch (slot.method.kind) {
    case Method::Kind::plain:
      enqueued = launch_plain(now, stream) == cudaSuccess;
      break;
    case Method::Kind::dequantise: {
      void* workspace = device_.find_workspace(stream);
      if (workspace == nullptr) return LaunchStatus::unprepared;
      enqueued = launch_dequantise(now, storage_->weights.data(), stream) == cudaSuccess &&
                 slot.plan->launch(slot.algorithm, {storage_->x.data(), storage_->weights.data(), y_.data()},
                                   workspace, stream) == CUBLAS_STATUS_SUCCESS;
      break;
    }
    default:
      enqueued = cuda::for_type(type_, [&]<cuda::Element known>() {
                   if (slot.method.kind == Method::Kind::decode)
                     return launch_decode<known>(index, now, stream);
                   if (slot.method.kind == Method::Kind::mma) return launch_mma<known>(index, now, stream);
                   if (slot.method.kind == Method::Kind::wgmma)
                     return launch_wgmma<known>(index, map_of(x_maps_, wgmma_box_tokens), now, stream);
                   if (slot.method.kind == Method::Kind::balanced)
                     return launch_balanced<known>(
                         index, map_of(x_maps_, balanced_box_tokens(balanced_configs[index])), now,
                         balanced_memory_[index]->scratch(), stream);
                   const SplitConfig& config = split_configs[index];
                   const auto tile = static_cast<std::size_t>(config.tile);
                   return launch_split<known>(config, map_of(x_maps_, split_box_tokens(split_tiles[tile])),
                                              now, split_memory_[tile]->scratch(), stream);
                 }) == cudaSuccess;
      break;
  }
  return enqueued ? LaunchStatus::ok : LaunchStatus::failed;
}

void MixedBitOnCuda::set_reference(cuda::Stream stream) {
  std::vector<cuda::Expected> places;
  for (const Expected& expected : storage_->data.reference_of(sizes_.tokens))
    places.push_back({.at = expected.at, .value = expected.value, .magnitude = expected.magnitude});
  y_.set_reference(places, stream);
}

double MixedBitOnCuda::tolerance() const noexcept {
  // Weights that are rounded to the type of the activations have errors of at most half a unit in the last
  // place. The errors of the terms of a sum grow like a random walk, and never beyond the error of a single
  // term.
  const double half_unit = type_ == cuda::Element::float16 ? 0x1p-11 : 0x1p-8;
  const double terms = std::sqrt(static_cast<double>(std::max<std::int64_t>(sizes_.in_features, 1)));
  return storage_->data.tolerance() + half_unit * std::min(1.0, 4 / terms);
}

double MixedBitOnCuda::bytes() const noexcept {
  const Data& data = storage_->data;
  const auto x = static_cast<std::size_t>(sizes_.tokens * data.operands().groups * group_size);
  return static_cast<double>(2 * (x + data.scales().size()) + y_.bytes() + 4 * data.words().size());
}

double MixedBitOnCuda::operations() const noexcept {
  return 2.0 * static_cast<double>(sizes_.tokens) * static_cast<double>(sizes_.out_features) *
         static_cast<double>(sizes_.in_features);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
