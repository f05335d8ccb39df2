#include "kernels/fused_moe/cuda/problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/common/cuda/tensor_map.hpp"
#include "kernels/common/random.hpp"
#include "kernels/fused_moe/cuda/reference.hpp"

namespace adaptive::kernels::fused_moe {
namespace {

namespace gg = grouped_gemm;

constexpr cuda::Element bfloat16 = cuda::Element::bfloat16;
constexpr std::size_t element_bytes = 2;

std::size_t bytes_of(std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns) * element_bytes;
}

// An upper limit of the number of tiles of any routing of this shape.
std::int64_t tiles_max(const gg::Config& config, const DeviceSizes& sizes, std::int64_t outputs) {
  const std::int64_t columns =
      config.columns * (config.kernel == gg::Config::Kernel::wgmma ? config.split : 1);
  const std::int64_t rows = sizes.pairs();
  const std::int64_t row_tiles = std::min(rows, sizes.filled + (rows - sizes.filled) / config.rows);
  return row_tiles * ((outputs + columns - 1) / columns);
}

// The number of blocks that the device can run at the same time, or fewer if there are fewer tiles.
int resident_blocks(const gg::Config& config, const DeviceSizes& sizes, std::int64_t outputs,
                    const gg::Capability& device) {
  const std::int64_t resident = std::int64_t{device.multiprocessors} * config.blocks / config.split;
  return static_cast<int>(std::clamp<std::int64_t>(tiles_max(config, sizes, outputs), 1,
                                                   std::max<std::int64_t>(resident, 1))) *
         config.split;
}

bool has_code(const Product& product, const gg::Capability& device) {
  const gg::Config& config = product.config();
  return shared_bytes(config) <= device.shared_bytes && runs(instructions_of(config), device.code);
}

}  // namespace

std::vector<Dimension> cuda_dimensions() {
  std::vector<Dimension> all = dimensions();
  all.back().labels = {"bfloat16", "fp8_w8a8", "int8_w8a16", "int4_w4a16", "int8_w8a8"};
  return all;
}

std::optional<std::string> why_no_cuda_layer(const Shape& shape) {
  static const std::vector<Dimension> names = cuda_dimensions();
  if (auto why = why_out_of_range(names, shape)) return why;
  Shape of_host = shape;
  of_host.back() = static_cast<std::int64_t>(Type::bfloat16);
  if (auto why = why_no_layer(of_host, 36)) return why;
  // Numbers of rows and indices along one dimension are ints.
  constexpr std::int64_t most = std::int64_t{1} << 29;
  if (shape[0] > most / shape[5]) return "tokens * top_k is above 2^29";
  for (const std::size_t i : {1u, 2u})
    if (shape[i] > most) return names[i].name + " is above 2^29";
  for (const std::size_t i : {1u, 2u})
    if (DeviceSizes(shape).weights == DeviceType::int4_w4a16 && shape[i] % 64 != 0)
      return names[i].name + " is no multiple of 64, the columns that share a scale";
  return std::nullopt;
}

WeightPlaces::WeightPlaces(const DeviceSizes& sizes) {
  const auto part = [&](std::int64_t parts, std::int64_t rows, std::int64_t columns, std::size_t& scales,
                        std::size_t& end) {
    scales += cuda::copy_stride(weight_bytes(sizes.weights, parts * rows, columns));
    end = scales + cuda::copy_stride(scale_bytes(sizes.weights, parts, rows, columns));
  };
  part(2 * sizes.experts, sizes.intermediate_size, sizes.hidden_size, up_scales, down);
  down_scales = down;
  part(sizes.experts, sizes.hidden_size, sizes.intermediate_size, down_scales, all);
}

bool available(const Choice& choice, const gg::Capability& device) {
  if (choice.plain()) return device.code.major > 0;
  if (choice.levels != nullptr) return levels::available(*choice.levels, device);
  const Pair* const pair = choice.pair;
  return has_code(pair->up, device) && has_code(pair->down, device) &&
         (pair->sum == Sum::slots || runs(cuda::Instructions::cluster, device.code));
}

bool supports(const Choice& choice, const DeviceSizes& sizes) {
  if (choice.plain()) return true;
  if (choice.levels != nullptr) return levels::supports(*choice.levels, sizes);
  const Pair* const pair = choice.pair;
  if (sizes.weights != DeviceType::bfloat16) return false;
  // Loads and stores must be complete 16-byte pieces.
  if (sizes.hidden_size % 8 != 0 || sizes.intermediate_size % 8 != 0) return false;
  constexpr std::int64_t most = std::numeric_limits<int>::max();
  return sizes.experts <= gg::experts_max &&
         tiles_max(pair->up.config(), sizes, 2 * sizes.intermediate_size) <= most &&
         tiles_max(pair->down.config(), sizes, sizes.hidden_size) <= most;
}

std::uint64_t scratch_bytes(const Choice& choice, const DeviceSizes& sizes) {
  const std::int64_t pairs = sizes.pairs();
  const Pair* const pair = choice.pair;
  if (choice.levels != nullptr || sizes.weights != DeviceType::bfloat16)
    return levels::scratch_bytes(choice.levels, sizes);
  if (pair == nullptr) return 2 * bytes_of(pairs, sizes.intermediate_size);
  std::int64_t columns = sizes.intermediate_size;
  if (pair->sum == Sum::slots) columns += sizes.hidden_size;
  if (pair->up.is_wgmma()) columns += sizes.hidden_size;
  if (!pair->fused) columns += 2 * sizes.intermediate_size;
  return bytes_of(pairs, columns);
}

FusedMoeOnCuda::FusedMoeOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family,
                               const std::vector<Choice>& variants)
    : PreparedProblem(shape, options, family),
      variants_(variants),
      capability_(gg::Capability::current()),
      sizes_(shape),
      routing_(make_routing(sizes_.tokens, sizes_.top_k, sizes_.experts, sizes_.filled,
                            sizes_.expert_parallel, options.seed ^ 0x6e0e)),
      overlaps_(runs(cuda::Instructions::cluster, capability_.code)),
      places_(sizes_) {
  rows_ = std::count_if(routing_.ids.begin(), routing_.ids.end(), [&](std::int32_t id) {
    return routing_.expert_map[static_cast<std::size_t>(id)] >= 0;
  });
  const std::size_t read =
      weight_bytes(sizes_.weights, sizes_.filled * 3 * sizes_.intermediate_size, sizes_.hidden_size);
  copies_ = cuda::copies_in_turn(options.rotate_bytes, std::max<std::size_t>(read, 1), places_.all);
  const auto pairs = static_cast<std::size_t>(sizes_.pairs());
  x_ = Bytes(bytes_of(sizes_.tokens, sizes_.hidden_size));
  w_ = Bytes(places_.all * copies_);
  y_ = cuda::Output(sizes_.tokens * sizes_.hidden_size, bfloat16);
  ids_ = cuda::DeviceBuffer<int>(pairs);
  weights_ = cuda::DeviceBuffer<float>(pairs);
  expert_map_ = cuda::DeviceBuffer<int>(routing_.expert_map.size());
  ends_ = cuda::DeviceBuffer<int>(static_cast<std::size_t>(sizes_.experts));
  token_of_ = cuda::DeviceBuffer<int>(pairs);
  weight_of_ = cuda::DeviceBuffer<float>(pairs);
  row_of_ = cuda::DeviceBuffer<int>(pairs);
  counts_ = cuda::DeviceBuffer<int>(
      static_cast<std::size_t>(chunks_of(static_cast<int>(pairs))) *
      static_cast<std::size_t>(std::min<std::int64_t>(sizes_.experts, gg::experts_max)));
  counters_ = cuda::DeviceBuffer<int>(4);
  // Not the legacy stream, which would wait for all other streams and could break a capture of another
  // thread.
  fill(cudaStreamPerThread);
}

void FusedMoeOnCuda::fill(cuda::Stream stream) {
  const auto upload = [stream](const auto& to, const auto& from) {
    if (to.size() == 0) return;
    cuda::check(
        cudaMemcpyAsync(to.data(), from.data(), from.size() * sizeof from[0], cudaMemcpyHostToDevice, stream),
        "routing");
  };
  upload(ids_, routing_.ids);
  upload(weights_, routing_.weights);
  upload(expert_map_, routing_.expert_map);
  cuda::check(cudaMemsetAsync(counters_.data(), 0, counters_.size() * sizeof(int), stream), "counters");
  const auto fill_with = [&](const std::byte* data, std::int64_t size, float bound, std::uint64_t seed) {
    cuda::check(fill_uniform(const_cast<std::byte*>(data), size, bound, options_.seed ^ seed, stream),
                "operands");
  };
  const auto fill_part = [&](std::byte* data, std::byte* scales, std::int64_t parts, std::int64_t rows,
                             std::int64_t columns, float bound, std::uint64_t seed) {
    const DeviceType type = sizes_.weights;
    if (type == DeviceType::bfloat16) return fill_with(data, parts * rows * columns, bound, seed);
    cuda::check(
        fill_weights(data, static_cast<std::int64_t>(weight_bytes(type, parts * rows, columns)), scales,
                     scale_count(type, parts, rows, columns), type, bound, options_.seed ^ seed, stream),
        "weights");
  };
  // Gates reach the bend of the activation and its limit.
  const std::int64_t hidden = sizes_.hidden_size, width = sizes_.intermediate_size;
  fill_with(x_.data(), sizes_.tokens * hidden, 3.0f, 0);
  for (std::size_t copy = 0; copy < copies_; ++copy) {
    std::byte* const begin = up_weights(copy);
    fill_part(begin, begin + places_.up_scales, 2 * sizes_.experts, width, hidden,
              3.0f / std::sqrt(static_cast<float>(hidden)), 0x7570);
    fill_part(down_weights(copy), begin + places_.down_scales, sizes_.experts, hidden, width,
              1.0f / std::sqrt(static_cast<float>(width)), 0x646f);
  }
  poison_output(stream);
  cuda::check(cudaStreamSynchronize(stream), "fused_moe: random operands");
}

Layer FusedMoeOnCuda::layer(std::size_t copy) const noexcept {
  return {.x = x_.data(),
          .up = up_weights(copy),
          .down = down_weights(copy),
          .up_scales = up_weights(copy) + places_.up_scales,
          .down_scales = up_weights(copy) + places_.down_scales,
          .ids = ids_.data(),
          .weights = weights_.data(),
          .expert_map = expert_map_.data(),
          .y = y_.data(),
          .tokens = static_cast<int>(sizes_.tokens),
          .hidden_size = static_cast<int>(sizes_.hidden_size),
          .intermediate_size = static_cast<int>(sizes_.intermediate_size),
          .top_k = static_cast<int>(sizes_.top_k),
          .experts = static_cast<int>(sizes_.experts),
          .activation = sizes_.activation,
          .type = sizes_.weights};
}

Alignment FusedMoeOnCuda::alignment() const noexcept {
  return {.ids = ids_.data(),
          .expert_map = expert_map_.data(),
          .weights = weights_.data(),
          .ends = ends_.data(),
          .token_of = token_of_.data(),
          .weight_of = weight_of_.data(),
          .row_of = row_of_.data(),
          .counts = counts_.data(),
          .pairs = static_cast<int>(sizes_.pairs()),
          .top_k = static_cast<int>(sizes_.top_k),
          .experts = static_cast<int>(sizes_.experts)};
}

gg::DeviceOperands FusedMoeOnCuda::up_product(const Pair& pair, std::size_t copy) const noexcept {
  return {
      .x = pair.up.is_wgmma() ? sorted_x_.data() : x_.data(),
      .w = up_weights(copy),
      .y = pair.fused ? h_.data() : both_.data(),
      .ends = ends_.data(),
      .row_of = pair.up.is_wgmma() ? nullptr : token_of_.data(),
      .counter = counters_.data(),
      .tokens = static_cast<int>(sizes_.pairs()),
      .n = static_cast<int>(2 * sizes_.intermediate_size),
      .k = static_cast<int>(sizes_.hidden_size),
      .experts = static_cast<int>(sizes_.experts),
      .type = bfloat16,
      // The product without activation reads the schedule at once, which only the sorting kernel waits for.
      .overlaps = overlaps_ && (pair.fused || pair.up.is_wgmma())};
}

gg::DeviceOperands FusedMoeOnCuda::down_product(const Pair& pair, std::size_t copy) const noexcept {
  return {.x = h_.data(),
          .w = down_weights(copy),
          .y = pair.sum == Sum::slots ? z_.data() : static_cast<std::byte*>(y_.data()),
          .ends = ends_.data(),
          .row_of = nullptr,
          .counter = counters_.data() + 2,
          .tokens = static_cast<int>(sizes_.pairs()),
          .n = static_cast<int>(sizes_.hidden_size),
          .k = static_cast<int>(sizes_.intermediate_size),
          .experts = static_cast<int>(sizes_.experts),
          .type = bfloat16,
          .overlaps = overlaps_};
}

std::unique_ptr<Slot> FusedMoeOnCuda::make_slot(std::size_t variant) {
  auto slot = std::make_unique<Slot>();
  const Choice choice = slot->choice = variants_[variant];
  if (!available(choice, capability_)) slot->status = LaunchStatus::unavailable;
  if (!supports(choice, sizes_)) slot->status = LaunchStatus::unsupported;
  if (slot->status != LaunchStatus::ok || sizes_.tokens == 0) return slot;
  if (sizes_.weights != DeviceType::bfloat16) {
    make_levels(*slot);
    return slot;
  }
  if (choice.plain()) {
    if (plain_h_.size() == 0)
      plain_h_ =
          cuda::DeviceBuffer<float>(static_cast<std::size_t>(sizes_.pairs() * sizes_.intermediate_size));
    return slot;
  }
  const Pair& pair = *choice.pair;
  make_scratch(pair);
  slot->blocks_up = resident_blocks(pair.up.config(), sizes_, 2 * sizes_.intermediate_size, capability_);
  slot->blocks_down = resident_blocks(pair.down.config(), sizes_, sizes_.hidden_size, capability_);
  const auto prepare_product = [](const Product& product) {
    return product.is_wgmma() ? gg::prepare_wgmma<bfloat16>(product.index)
                              : gg::prepare_mma<bfloat16>(product.index);
  };
  const auto prepare_gated = [](const Product& product) {
    return product.is_wgmma() ? prepare_gated_wgmma(product.index) : prepare_gated_mma(product.index);
  };
  const auto prepare_added = [](const Product& product) {
    return product.is_wgmma() ? prepare_added_wgmma(product.index) : prepare_added_mma(product.index);
  };
  cuda::check(pair.fused ? prepare_gated(pair.up) : prepare_product(pair.up), "shared memory of a kernel");
  cuda::check(pair.sum == Sum::slots ? prepare_product(pair.down) : prepare_added(pair.down),
              "shared memory of a kernel");
  make_maps(*slot);
  return slot;
}

void FusedMoeOnCuda::make_levels(Slot& slot) {
  levels_scratch_.make(slot.choice.levels, sizes_);
  if (slot.choice.plain()) return;
  std::vector<Layer> layers;
  for (std::size_t copy = 0; copy < copies_; ++copy) layers.push_back(layer(copy));
  slot.levels = levels::prepare(*slot.choice.levels, sizes_, levels_scratch_, layers, capability_);
}

void FusedMoeOnCuda::make_scratch(const Pair& pair) {
  const std::int64_t pairs = sizes_.pairs();
  const auto make = [](auto& buffer, std::size_t size) {
    if (buffer.size() == 0) buffer = std::remove_reference_t<decltype(buffer)>(size);
  };
  if (pair.up.is_wgmma()) make(sorted_x_, bytes_of(pairs, sizes_.hidden_size));
  if (!pair.fused) make(both_, bytes_of(pairs, 2 * sizes_.intermediate_size));
  make(h_, bytes_of(pairs, sizes_.intermediate_size));
  if (pair.sum == Sum::slots) make(z_, bytes_of(pairs, sizes_.hidden_size));
}

void FusedMoeOnCuda::make_maps(Slot& slot) {
  const Pair& pair = *slot.choice.pair;
  const std::int64_t hidden = sizes_.hidden_size, width = sizes_.intermediate_size, pairs = sizes_.pairs();
  for (std::size_t copy = 0; copy < copies_; ++copy) {
    if (pair.up.is_wgmma()) {
      const gg::Config& config = pair.up.config();
      const void* w = up_weights(copy);
      slot.up.push_back(
          {cuda::make_tensor_map(sorted_x_.data(), bfloat16, hidden, pairs, 0, box_rows(config)),
           pair.fused
               ? cuda::make_interleaved_tensor_map(w, bfloat16, hidden, width, sizes_.experts, config.columns)
               : cuda::make_tensor_map(w, bfloat16, hidden, 2 * width, sizes_.experts, config.columns)});
    }
    if (pair.down.is_wgmma()) {
      const gg::Config& config = pair.down.config();
      slot.down.push_back({cuda::make_tensor_map(h_.data(), bfloat16, width, pairs, 0, box_rows(config)),
                           cuda::make_tensor_map(down_weights(copy), bfloat16, width, hidden, sizes_.experts,
                                                 config.columns)});
    }
  }
}

LaunchStatus FusedMoeOnCuda::enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept {
  if (sizes_.tokens == 0) return LaunchStatus::ok;
  const auto outcome = [](cudaError_t status) {
    return status == cudaSuccess ? LaunchStatus::ok : LaunchStatus::failed;
  };
  if (slot.choice.levels != nullptr)
    return outcome(levels::enqueue(*slot.choice.levels, slot.levels, levels_scratch_, layer(copy),
                                   alignment(), copy, overlaps_, stream));
  if (sizes_.weights != DeviceType::bfloat16)
    return outcome(levels::enqueue_plain(levels_scratch_, layer(copy), stream));
  if (slot.choice.plain()) return outcome(launch_plain(layer(copy), plain_h_.data(), stream));
  const bool atomic = slot.choice.pair->sum == Sum::atomic;
  const bool enqueued =
      launch_align(alignment(), atomic ? y_.data() : nullptr, y_.bytes(), stream) == cudaSuccess &&
      enqueue_up(slot, copy, stream) == cudaSuccess && enqueue_down(slot, copy, stream) == cudaSuccess &&
      (atomic || launch_weighted_sum(alignment(), z_.data(), y_.data(), static_cast<int>(sizes_.tokens),
                                     static_cast<int>(sizes_.hidden_size), overlaps_, stream) == cudaSuccess);
  return enqueued ? LaunchStatus::ok : LaunchStatus::failed;
}

cudaError_t FusedMoeOnCuda::enqueue_up(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept {
  const Pair& pair = *slot.choice.pair;
  const Product& product = pair.up;
  const gg::DeviceOperands now = up_product(pair, copy);
  if (pair.up.is_wgmma()) {
    const cudaError_t sorted =
        launch_sort_rows(alignment(), x_.data(), sorted_x_.data(), now.k, overlaps_, stream);
    if (sorted != cudaSuccess) return sorted;
  }
  if (pair.fused)
    return product.is_wgmma()
               ? launch_gated_wgmma(product.index, slot.up[copy], now, sizes_.activation, slot.blocks_up,
                                    stream)
               : launch_gated_mma(product.index, now, sizes_.activation, slot.blocks_up, stream);
  const cudaError_t multiplied =
      product.is_wgmma()
          ? gg::launch_wgmma<bfloat16>(product.index, slot.up[copy], now, slot.blocks_up, stream)
          : gg::launch_mma<bfloat16>(product.index, now, slot.blocks_up, stream);
  if (multiplied != cudaSuccess) return multiplied;
  return launch_activate(alignment(), both_.data(), h_.data(), static_cast<int>(sizes_.intermediate_size),
                         sizes_.activation, overlaps_, stream);
}

cudaError_t FusedMoeOnCuda::enqueue_down(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept {
  const Product& product = slot.choice.pair->down;
  const gg::DeviceOperands now = down_product(*slot.choice.pair, copy);
  const int blocks = slot.blocks_down;
  if (slot.choice.pair->sum == Sum::atomic)
    return product.is_wgmma()
               ? launch_added_wgmma(product.index, slot.down[copy], now, alignment(), blocks, stream)
               : launch_added_mma(product.index, now, alignment(), blocks, stream);
  return product.is_wgmma() ? gg::launch_wgmma<bfloat16>(product.index, slot.down[copy], now, blocks, stream)
                            : gg::launch_mma<bfloat16>(product.index, now, blocks, stream);
}

// Compares all columns of a sample of tokens, because the elements of a token share h.
void FusedMoeOnCuda::set_reference(cuda::Stream stream) {
  if (sizes_.tokens == 0) return;
  constexpr std::int64_t tokens_max = 128;
  const std::int64_t terms = 3 * sizes_.top_k * sizes_.hidden_size * sizes_.intermediate_size;
  const std::int64_t affordable = std::clamp<std::int64_t>((std::int64_t{1} << 34) / terms, 2, tokens_max);
  std::vector<int> tokens(static_cast<std::size_t>(std::min(sizes_.tokens, affordable)));
  Random random(options_.seed ^ 0x5eed);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    tokens[i] = static_cast<int>(sizes_.tokens - 1) - static_cast<int>(i);
    if (sizes_.tokens > affordable && i > 0) tokens[i] = static_cast<int>(random.below(sizes_.tokens));
  }
  const auto width = static_cast<std::size_t>(sizes_.hidden_size);
  cuda::DeviceBuffer<int> sample(tokens.size());
  cuda::DeviceBuffer<double> h(tokens.size() *
                               static_cast<std::size_t>(sizes_.top_k * sizes_.intermediate_size));
  cuda::DeviceBuffer<Exact> exact(tokens.size() * width);
  std::vector<Exact> values(exact.size());
  cuda::check(cudaMemcpyAsync(sample.data(), tokens.data(), tokens.size() * sizeof(int),
                              cudaMemcpyHostToDevice, stream),
              "reference");
  cuda::check(
      compute_exact(layer(0), sample.data(), static_cast<int>(tokens.size()), h.data(), exact.data(), stream),
      "reference");
  cuda::check(cudaMemcpyAsync(values.data(), exact.data(), values.size() * sizeof(Exact),
                              cudaMemcpyDeviceToHost, stream),
              "reference");
  cuda::check(cudaStreamSynchronize(stream), "reference");
  std::vector<cuda::Expected> expected(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    expected[i].at = tokens[i / width] * sizes_.hidden_size + static_cast<std::int64_t>(i % width);
    expected[i].value = values[i].value;
    expected[i].magnitude = values[i].magnitude;
  }
  y_.set_reference(expected, stream);
}

double FusedMoeOnCuda::tolerance() const noexcept {
  // The sums in float32 as on the host. Rounding gate, up, h and the rows of down to bfloat16 gives
  // independent errors, of which the sum over the width of h averages out all but a random walk.
  const auto width = static_cast<double>(sizes_.intermediate_size);
  const double sums = 12 + std::sqrt(static_cast<double>(sizes_.hidden_size)) / 4 + std::sqrt(width) / 4;
  const double rounded = sums * static_cast<double>(std::numeric_limits<float>::epsilon()) +
                         0x1p-8 * std::min(4.0, 16 / std::sqrt(width));
  // A number of h that lies between two levels may become either, the more so as Hopper's tensor cores add
  // products of float8 with about 13 bits. A step of float8 is up to an eighth of the number, one of int8 a
  // 127th of the largest. Two large numbers, which may be eight times the average, may be off by a step.
  if (sizes_.weights == DeviceType::fp8_w8a8) return rounded + 0x1p-3 * std::min(1.0, 16 / width);
  if (sizes_.weights == DeviceType::int8_w8a8) return rounded + 0x1p-7 * std::min(1.0, 16 / width);
  return rounded;
}

double FusedMoeOnCuda::bytes() const noexcept {
  const std::int64_t hidden = sizes_.hidden_size, width = sizes_.intermediate_size;
  const DeviceType type = sizes_.weights;
  const std::size_t weights = weight_bytes(type, sizes_.filled * 3 * width, hidden) +
                              scale_bytes(type, 2 * sizes_.filled, width, hidden) +
                              scale_bytes(type, sizes_.filled, hidden, width);
  return static_cast<double>(weights + x_.size() + y_.bytes()) + 8.0 * static_cast<double>(sizes_.pairs());
}

double FusedMoeOnCuda::operations() const noexcept {
  return 6.0 * static_cast<double>(rows_) * static_cast<double>(sizes_.hidden_size) *
         static_cast<double>(sizes_.intermediate_size);
}

}  // namespace adaptive::kernels::fused_moe
