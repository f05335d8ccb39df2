#include "kernels/mixed_bit_matmul/cuda/problem.hpp"

#include <algorithm>
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
      case Method::Kind::wgmma:
        return prepare_wgmma<known>(method.index);
      default:
        return cudaSuccess;
    }
  });
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
  if (method.kind == Method::Kind::wgmma)
    return sizes.out_features % 8 == 0 &&
           (sizes.tokens + wgmma_configs[method.index].tokens - 1) / wgmma_configs[method.index].tokens <=
               grid_rows_max;
  return true;
}

cuda::Element type_of(const Shape& shape) {
  return static_cast<cuda::Element>(shape[4]);
}

MixedBitOnCuda::MixedBitOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family,
                               const std::vector<Method>& methods)
    : PreparedProblem(shape, options, family),
      methods_(methods),
      sizes_(shape),
      type_(type_of(shape)),
      data_(shape, options.seed, precision_of(type_)) {
  const Operands& host = data_.operands();
  const std::int64_t chunks = chunks_of(static_cast<int>(host.groups));
  std::int64_t words = 0;
  for (std::int64_t b = 0; b < host.block_count; ++b) {
    host_words_at_.push_back(words);
    words += chunks * chunk_word_bytes(host.block_bits[b]) / 4;
  }
  host_pairs_ = pairs_of(host);
  words_of_copy_ = rounded_up(static_cast<std::size_t>(words));
  scales_of_copy_ = rounded_up(static_cast<std::size_t>(host.block_count * chunks * chunk_scale_bytes / 2));
  const std::size_t copy_bytes = 4 * words_of_copy_ + 2 * scales_of_copy_;
  copies_ = cuda::copies_in_turn(options.rotate_bytes, copy_bytes, copy_bytes);
  const auto blocks = static_cast<std::size_t>(host.block_count);
  x_ = cuda::DeviceBuffer<std::uint16_t>(data_.activations().size());
  y_ = cuda::Output(sizes_.tokens * sizes_.out_features, type_);
  words_ = cuda::DeviceBuffer<std::uint32_t>(words_of_copy_ * copies_);
  scales_ = cuda::DeviceBuffer<std::uint16_t>(scales_of_copy_ * copies_);
  words_at_ = cuda::DeviceBuffer<std::int64_t>(blocks);
  block_bits_ = cuda::DeviceBuffer<int>(blocks);
  block_pairs_ = cuda::DeviceBuffer<BlockPair>(host_pairs_.size());
  // Not the legacy stream, which would wait for all other streams and could break a capture of another
  // thread.
  upload(cudaStreamPerThread);
  if (sizes_.tokens > 0 && runs(cuda::Instructions::hopper, device_.code()))
    x_map_ =
        cuda::make_tensor_map(x_.data(), type_, host.groups * group_size, sizes_.tokens, 0, wgmma_box_tokens);
}

void MixedBitOnCuda::upload(cuda::Stream stream) {
  const Operands& host = data_.operands();
  const auto blocks = static_cast<std::size_t>(host.block_count);
  std::vector<std::int64_t> from_at(blocks);
  for (std::size_t b = 0; b < blocks; ++b) from_at[b] = host.words[b] - host.words[0];
  upload_to(words_at_, host_words_at_.data(), blocks, stream);
  upload_to(block_bits_, host.block_bits, blocks, stream);
  upload_to(block_pairs_, host_pairs_.data(), host_pairs_.size(), stream);
  const std::vector<float> pairs = packed_scales(host, scales_of_copy_);
  const cuda::DeviceBuffer<std::int64_t> from(blocks);
  const cuda::DeviceBuffer<std::uint32_t> words(data_.words().size());
  const cuda::DeviceBuffer<float> x(data_.activations().size());
  const cuda::DeviceBuffer<float> scales(pairs.size());
  upload_to(from, from_at.data(), blocks, stream);
  upload_to(words, data_.words().data(), data_.words().size(), stream);
  upload_to(x, data_.activations().data(), data_.activations().size(), stream);
  upload_to(scales, pairs.data(), pairs.size(), stream);
  const auto size_of = [](const auto& buffer) { return static_cast<std::int64_t>(buffer.size()); };
  cuda::check(launch_convert(x.data(), x_.data(), size_of(x), type_, stream), "convert x");
  if (words_.size() != 0)
    cuda::check(cudaMemsetAsync(words_.data(), 0, words_.size() * sizeof(std::uint32_t), stream), "words");
  for (std::size_t copy = 0; copy < copies_; ++copy) {
    cuda::check(launch_repack(words.data(), from.data(), operands(copy),
                              words_.data() + copy * words_of_copy_, stream),
                "repack");
    cuda::check(launch_convert(scales.data(), scales_.data() + copy * scales_of_copy_, size_of(scales), type_,
                               stream),
                "convert scales");
  }
  poison_output(stream);
  cuda::check(cudaStreamSynchronize(stream), "mixed_bit_matmul: operands");
}

std::string MixedBitOnCuda::description() const {
  return family_.name() + " " + data_.description() +
         (type_ == cuda::Element::float16 ? " float16" : " bfloat16") +
         " seed=" + std::to_string(options_.seed) + " copies=" + std::to_string(copies_);
}

DeviceOperands MixedBitOnCuda::operands(std::size_t copy) const noexcept {
  return {.x = x_.data(),
          .words = words_.data() + copy * words_of_copy_,
          .words_at = words_at_.data(),
          .block_bits = block_bits_.data(),
          .scales = scales_.data() + copy * scales_of_copy_,
          .y = y_.data(),
          .tokens = static_cast<int>(sizes_.tokens),
          .out_features = static_cast<int>(sizes_.out_features),
          .groups = static_cast<int>(data_.operands().groups),
          .blocks = static_cast<int>(data_.operands().block_count),
          .bits_max = bits_max_of(shape()),
          .block_pairs = block_pairs_.data(),
          .pairs = static_cast<int>(host_pairs_.size()),
          .one_width = std::has_single_bit(static_cast<std::uint64_t>(sizes_.bits_mask)),
          .type = type_};
}

std::unique_ptr<Slot> MixedBitOnCuda::make_slot(std::size_t variant) {
  auto slot = std::make_unique<Slot>();
  slot->method = methods_[variant];
  if (!available(slot->method, device_.code())) slot->status = LaunchStatus::unavailable;
  if (!supports(slot->method, shape())) slot->status = LaunchStatus::unsupported;
  if (slot->status != LaunchStatus::ok || sizes_.tokens == 0) return slot;
  cuda::check(prepare_kernel(slot->method, type_), "mixed_bit_matmul: kernel");
  if (slot->method.kind != Method::Kind::dequantise) return slot;
  const std::int64_t k = data_.operands().groups * group_size;
  slot->plan = device_.plan({sizes_.tokens, sizes_.out_features, k, static_cast<std::int64_t>(type_)});
  const auto& candidates = slot->plan->candidates();
  const auto algorithm = candidates.empty() ? std::nullopt : slot->plan->find(candidates.front());
  if (!algorithm) {
    slot->status = LaunchStatus::unsupported;
    return slot;
  }
  slot->algorithm = *algorithm;
  if (weights_.size() == 0)
    weights_ = cuda::DeviceBuffer<std::uint16_t>(static_cast<std::size_t>(sizes_.out_features * k));
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
      enqueued = launch_dequantise(now, weights_.data(), stream) == cudaSuccess &&
                 slot.plan->launch(slot.algorithm, {x_.data(), weights_.data(), y_.data()}, workspace,
                                   stream) == CUBLAS_STATUS_SUCCESS;
      break;
    }
    default:
      enqueued = cuda::for_type(type_, [&]<cuda::Element known>() {
                   return slot.method.kind == Method::Kind::decode ? launch_decode<known>(index, now, stream)
                          : slot.method.kind == Method::Kind::mma
                              ? launch_mma<known>(index, now, stream)
                              : launch_wgmma<known>(index, *x_map_, now, stream);
                 }) == cudaSuccess;
      break;
  }
  return enqueued ? LaunchStatus::ok : LaunchStatus::failed;
}

void MixedBitOnCuda::set_reference(cuda::Stream stream) {
  std::vector<cuda::Expected> places;
  for (const Expected& expected : data_.reference())
    places.push_back({.at = expected.at, .value = expected.value, .magnitude = expected.magnitude});
  y_.set_reference(places, stream);
}

double MixedBitOnCuda::tolerance() const noexcept {
  // Weights that are rounded to the type of the activations have errors of at most half a unit in the last
  // place. The errors of the terms of a sum grow like a random walk, and never beyond the error of a single
  // term.
  const double half_unit = type_ == cuda::Element::float16 ? 0x1p-11 : 0x1p-8;
  const double terms = std::sqrt(static_cast<double>(std::max<std::int64_t>(sizes_.in_features, 1)));
  return data_.tolerance() + half_unit * std::min(1.0, 4 / terms);
}

double MixedBitOnCuda::bytes() const noexcept {
  return static_cast<double>(2 * (x_.size() + data_.scales().size()) + y_.bytes() + 4 * data_.words().size());
}

double MixedBitOnCuda::operations() const noexcept {
  return data_.operations();
}

}  // namespace adaptive::kernels::mixed_bit_matmul
