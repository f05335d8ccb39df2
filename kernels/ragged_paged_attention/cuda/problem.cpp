#include "kernels/ragged_paged_attention/cuda/problem.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "kernels/common/cuda/tensor_map.hpp"
#include "kernels/common/random.hpp"

namespace adaptive::kernels::ragged_paged_attention {
namespace {

std::size_t count_of(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

int narrow(std::int64_t value) {
  return static_cast<int>(value);
}

std::int64_t element_bytes(Type type) {
  return type == Type::float8_e4m3 ? 1 : 2;
}

std::int64_t window_of(const Sizes& sizes) {
  return sizes.window == 0 ? sizes.context : std::min(sizes.window, sizes.context);
}

/// The sizes of a launch, as far as the shape determines them. If a shape has more tokens than sequences, one
/// of them may have all.
DeviceOperands sizes_of(const Shape& shape) {
  const Sizes sizes(shape);
  DeviceOperands o;
  o.tokens = narrow(sizes.tokens);
  o.sequences = narrow(sizes.sequences);
  o.q_heads = narrow(sizes.q_heads);
  o.kv_heads = narrow(sizes.kv_heads);
  o.group = narrow(sizes.group());
  o.head_size = narrow(sizes.head_size);
  o.page_size = narrow(sizes.page_size);
  o.pages_per_sequence = narrow((sizes.context + sizes.page_size - 1) / sizes.page_size);
  o.window = narrow(window_of(sizes));
  o.context = narrow(sizes.context);
  o.most_tokens = sizes.tokens <= sizes.sequences ? 1 : narrow(std::min(sizes.tokens, sizes.context));
  o.float8 = sizes.type == Type::float8_e4m3;
  return o;
}

std::int64_t part_units(const DeviceOperands& o, int parts) {
  return tile_count(o, rows_height) * o.kv_heads * parts;
}

template <class T>
void copy_to(const cuda::DeviceBuffer<T>& to, const std::vector<T>& from, cudaStream_t stream) {
  if (from.empty()) return;
  cuda::check(
      cudaMemcpyAsync(to.data(), from.data(), from.size() * sizeof(T), cudaMemcpyHostToDevice, stream),
      "ragged_paged_attention: operands");
}

cuda::DeviceBuffer<int> zeroed(std::size_t size) {
  cuda::DeviceBuffer<int> numbers(size);
  cuda::check(cudaMemsetAsync(numbers.data(), 0, size * sizeof(int), cudaStreamPerThread), "counters");
  cuda::check(cudaStreamSynchronize(cudaStreamPerThread), "counters");
  return numbers;
}

cudaError_t prepare_kernels(const DeviceMethod& method, const DeviceOperands& o) {
  if (method.has_rows()) {
    const auto index = count_of(method.rows);
    const cudaError_t status =
        o.float8 ? prepare_rows<true>(index, o.head_size) : prepare_rows<false>(index, o.head_size);
    if (status != cudaSuccess) return status;
  }
  if (method.has_wgmma()) {
    const auto index = count_of(method.wgmma);
    return o.float8 ? prepare_wgmma<true>(index, o.head_size) : prepare_wgmma<false>(index, o.head_size);
  }
  if (!method.has_tiles()) return cudaSuccess;
  const auto index = count_of(method.tiles);
  return o.float8 ? prepare_tiles<true>(index, o.head_size) : prepare_tiles<false>(index, o.head_size);
}

}  // namespace

bool available(const DeviceMethod& method, const cuda::LoadedCode& code) {
  if (method.is_plain()) return code.major > 0;
  return runs(method.has_wgmma() ? cuda::Instructions::hopper : cuda::Instructions::cluster, code);
}

bool supports(const DeviceMethod& method, const Shape& shape) {
  const Sizes sizes(shape);
  if (method.has_tiles() || method.has_wgmma()) {
    if (sizes.tokens <= sizes.sequences) return false;
    if (method.has_wgmma() &&
        !wgmma_fits(method.wgmma_config(), narrow(sizes.head_size), narrow(element_bytes(sizes.type))))
      return false;
  }
  if (!method.has_rows()) return true;
  if (!rows_fits(method.rows_config(), narrow(sizes.head_size))) return false;
  // A tile of few rows reads the cache again for every few tokens.
  if (!method.is_mixed() && sizes.tokens > 8 * sizes.sequences) return false;
  const DeviceOperands o = sizes_of(shape);
  const int part = method.rows_config().part;
  const int parts = part_count(o, part);
  if (part > 0 && (parts == 1 || parts > parts_max)) return false;
  return part_units(o, parts) <= std::numeric_limits<std::int32_t>::max() &&
         rows_shared_bytes(method.rows_config(), o.head_size, o.float8 ? 1 : 2) <= shared_bytes_max;
}

std::uint64_t part_bytes(const DeviceMethod& method, const Shape& shape) {
  if (!method.has_rows() || method.rows_config().part == 0) return 0;
  const DeviceOperands o = sizes_of(shape);
  const int parts = part_count(o, method.rows_config().part);
  return static_cast<std::uint64_t>(part_units(o, parts)) * static_cast<std::uint64_t>(part_rows(o)) *
             static_cast<std::uint64_t>(o.head_size + 2) * sizeof(float) +
         static_cast<std::uint64_t>(part_units(o, 1)) * sizeof(int);
}

AttentionOnCuda::AttentionOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family,
                                 const std::vector<DeviceMethod>& methods)
    : AttentionOnCuda(shape, options, family, methods, make_batch(Sizes(shape), options.seed)) {}

AttentionOnCuda::AttentionOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family,
                                 const std::vector<DeviceMethod>& methods, Batch batch)
    : PreparedProblem(shape, options, family),
      methods_(methods),
      sizes_(shape),
      overlaps_(options.overlaps && runs(cuda::Instructions::cluster, device_.code())),
      batch_(std::move(batch)),
      window_(window_of(sizes_)) {
  least_seen_ = sizes_.context;
  for_each_sequence([&](std::int64_t context, std::int64_t tokens) {
    least_seen_ = std::min({least_seen_, context - tokens + 1, window_});
  });
  cuda::check(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, device_.ordinal()),
              "multiprocessors");
  const std::vector<std::int32_t> page_table = make_page_table();
  const std::int64_t cache_bytes =
      pages_ * sizes_.kv_heads * sizes_.page_size * sizes_.head_size * element_bytes(sizes_.type);
  cache_stride_ = cuda::copy_stride(count_of(cache_bytes));
  copies_ = cuda::copies_in_turn(options.rotate_bytes, 2 * count_of(cache_bytes), 2 * cache_stride_);
  const std::int64_t new_elements = sizes_.tokens * sizes_.kv_heads * sizes_.head_size;
  const std::int64_t queries = sizes_.tokens * sizes_.q_heads * sizes_.head_size;
  q_ = cuda::DeviceBuffer<std::uint16_t>(count_of(queries));
  new_keys_ = cuda::DeviceBuffer<std::uint16_t>(count_of(new_elements));
  new_values_ = cuda::DeviceBuffer<std::uint16_t>(count_of(new_elements));
  key_cache_ = cuda::DeviceBuffer<std::byte>(cache_stride_ * copies_);
  value_cache_ = cuda::DeviceBuffer<std::byte>(cache_stride_ * copies_);
  page_table_ = cuda::DeviceBuffer<std::int32_t>(page_table.size());
  first_token_ = cuda::DeviceBuffer<std::int32_t>(batch_.first_token.size());
  contexts_ = cuda::DeviceBuffer<std::int32_t>(batch_.contexts.size());
  y_ = cuda::Output(queries, cuda::Element::bfloat16);
  wrong_ = cuda::DeviceBuffer<unsigned>(1);
  // Not the legacy stream, which would wait for all other streams and could break a capture of another
  // thread.
  copy_to(page_table_, page_table, cudaStreamPerThread);
  copy_to(first_token_, batch_.first_token, cudaStreamPerThread);
  copy_to(contexts_, batch_.contexts, cudaStreamPerThread);
  make_data(cudaStreamPerThread);
}

template <class F>
void AttentionOnCuda::for_each_sequence(const F& f) const {
  for (std::size_t s = 0; s < batch_.contexts.size(); ++s) {
    const std::int64_t tokens = batch_.first_token[s + 1] - batch_.first_token[s];
    if (tokens > 0) f(batch_.contexts[s], tokens);
  }
}

// Pages are in random order. Those that no new token sees do not exist.
std::vector<std::int32_t> AttentionOnCuda::make_page_table() {
  const std::int64_t of_sequence = (sizes_.context + sizes_.page_size - 1) / sizes_.page_size;
  std::vector<std::int32_t> table(count_of(sizes_.sequences * of_sequence), -1);
  std::vector<std::size_t> used;
  for (std::int64_t s = 0; s < sizes_.sequences; ++s) {
    const std::int64_t context = batch_.contexts[count_of(s)];
    const std::int64_t tokens = batch_.first_token[count_of(s + 1)] - batch_.first_token[count_of(s)];
    if (tokens == 0) continue;
    const std::int64_t first = std::max<std::int64_t>(context - tokens - window_ + 1, 0);
    for (std::int64_t page = first / sizes_.page_size; page * sizes_.page_size < context; ++page)
      used.push_back(count_of(s * of_sequence + page));
  }
  pages_ = static_cast<std::int64_t>(used.size());
  Random random(options_.seed ^ 0x9a6e);
  for (std::size_t i = 0; i < used.size(); ++i) {
    std::swap(used[i], used[i + count_of(random.below(pages_ - static_cast<std::int64_t>(i)))]);
    table[used[i]] = static_cast<std::int32_t>(i);
  }
  return table;
}

// Memory that no launch may read has values that are not numbers.
void AttentionOnCuda::make_data(cuda::Stream stream) {
  const std::uint64_t seed = options_.seed * 8;
  const auto count = [](const auto& buffer) { return static_cast<std::int64_t>(buffer.size()); };
  cuda::check(fill_uniform(q_.data(), count(q_), random_query_size, seed, stream), "queries");
  cuda::check(fill_uniform(new_keys_.data(), count(new_keys_), 1, seed + 1, stream), "new keys");
  cuda::check(fill_uniform(new_values_.data(), count(new_values_), 1, seed + 2, stream), "new values");
  for (const auto* cache : {&key_cache_, &value_cache_})
    if (cache->size() != 0) cuda::check(cudaMemsetAsync(cache->data(), 0xFF, cache->size(), stream), "cache");
  if (sizes_.scores == Scores::sinks || sizes_.scores == Scores::soft_cap_sinks) {
    Random random(options_.seed ^ 0x51);
    std::vector<float> sinks(count_of(sizes_.q_heads));
    for (float& sink : sinks) sink = random.uniform(0, 8);  // of the size of a few hundred scores
    sinks_ = cuda::DeviceBuffer<float>(sinks.size());
    copy_to(sinks_, sinks, stream);
    cuda::check(cudaStreamSynchronize(stream), "sinks");
  }
  if (pages_ != 0)
    for (std::size_t copy = 0; copy < copies_; ++copy)
      cuda::check(fill_cache(operands(copy), seed + 3, stream), "cache");
  if (pages_ != 0 && sizes_.type == Type::bfloat16 && runs(cuda::Instructions::hopper, device_.code()))
    for (std::size_t copy = 0; copy < copies_; ++copy) {
      const auto map_of = [&](const void* cache) {
        return cuda::make_tensor_map(cache, cuda::Element::bfloat16, sizes_.head_size,
                                     pages_ * sizes_.kv_heads * sizes_.page_size, 0, wgmma_box_rows);
      };
      maps_.push_back({map_of(operands(copy).key_cache), map_of(operands(copy).value_cache)});
    }
  poison_output(stream);
  cuda::check(cudaStreamSynchronize(stream), "ragged_paged_attention: operands");
}

DeviceOperands AttentionOnCuda::operands(std::size_t copy) const noexcept {
  DeviceOperands o = sizes_of(shape());
  o.most_tokens = 0;
  for_each_sequence(
      [&](std::int64_t, std::int64_t tokens) { o.most_tokens = std::max(o.most_tokens, narrow(tokens)); });
  const bool has_cap = sizes_.scores == Scores::soft_cap || sizes_.scores == Scores::soft_cap_sinks;
  o.scale = 1 / std::sqrt(static_cast<float>(sizes_.head_size));
  o.soft_cap = has_cap ? random_soft_cap : 0;
  o.k_scale = o.float8 ? float8_k_scale : 1;
  o.v_scale = o.float8 ? float8_v_scale : 1;
  o.q = q_.data();
  o.new_keys = new_keys_.data();
  o.new_values = new_values_.data();
  o.key_cache = key_cache_.data() + copy * cache_stride_;
  o.value_cache = value_cache_.data() + copy * cache_stride_;
  o.page_table = page_table_.data();
  o.first_token = first_token_.data();
  o.contexts = contexts_.data();
  o.sinks = sinks_.data();
  o.y = static_cast<std::uint16_t*>(y_.data());
  return o;
}

std::unique_ptr<AttentionSlot> AttentionOnCuda::make_slot(std::size_t variant) {
  auto slot = std::make_unique<AttentionSlot>();
  slot->method = methods_[variant];
  if (!available(slot->method, device_.code())) slot->status = LaunchStatus::unavailable;
  if (!supports(slot->method, shape())) slot->status = LaunchStatus::unsupported;
  if (slot->status != LaunchStatus::ok || sizes_.tokens == 0) return slot;
  const DeviceOperands o = operands(0);
  cuda::check(prepare_kernels(slot->method, o), "ragged_paged_attention: kernel");
  if (slot->method.has_wgmma()) slot->counter = zeroed(2);
  const int parts = slot->method.has_rows() ? part_count(o, slot->method.rows_config().part) : 1;
  if (parts == 1) return slot;
  const std::size_t rows = count_of(part_units(o, parts) * part_rows(o));
  slot->part_out = cuda::DeviceBuffer<float>(rows * count_of(o.head_size));
  slot->part_state = cuda::DeviceBuffer<float2>(rows);
  slot->arrived = zeroed(count_of(part_units(o, 1)));
  return slot;
}

LaunchStatus AttentionOnCuda::enqueue(const AttentionSlot& slot, std::size_t copy,
                                      cuda::Stream stream) noexcept {
  if (sizes_.tokens == 0) return LaunchStatus::ok;
  const DeviceOperands o = operands(copy);
  last_copy_ = copy;
  const DeviceMethod& method = slot.method;
  const bool stores = method.has_rows() && !method.is_mixed() && o.most_tokens == 1 && o.group <= rows_height;
  cudaError_t status = stores ? cudaSuccess : launch_store(o, overlaps_, stream);
  if (status == cudaSuccess && method.is_plain()) status = launch_plain(o, stream);
  if (status == cudaSuccess && method.has_rows()) {
    const auto index = count_of(method.rows);
    const RowRange range = {.least = 1, .most = method.is_mixed() ? rows_height : rows_unlimited};
    const Parts parts = {slot.part_out.data(), slot.part_state.data(), slot.arrived.data()};
    // Behind the store it does not overlap: it has the same place in captured graphs as `tiles` then.
    const bool overlaps = stores && overlaps_;
    status = o.float8 ? launch_rows<true>(index, o, range, parts, stores, overlaps, stream)
                      : launch_rows<false>(index, o, range, parts, stores, overlaps, stream);
  }
  const RowRange rest = {.least = method.is_mixed() ? rows_height + 1 : 1, .most = rows_unlimited};
  if (status == cudaSuccess && method.has_tiles()) {
    const auto index = count_of(method.tiles);
    status =
        o.float8 ? launch_tiles<true>(index, o, rest, stream) : launch_tiles<false>(index, o, rest, stream);
  }
  if (status == cudaSuccess && method.has_wgmma()) {
    const auto index = count_of(method.wgmma);
    int* const counter = slot.counter.data();
    status = o.float8 ? launch_wgmma<true>(index, {}, o, rest, counter, multiprocessors_, stream)
                      : launch_wgmma<false>(index, maps_[copy], o, rest, counter, multiprocessors_, stream);
  }
  return status == cudaSuccess ? LaunchStatus::ok : LaunchStatus::failed;
}

void AttentionOnCuda::poison_output(cuda::Stream stream) noexcept {
  PreparedProblem::poison_output(stream);
  for (std::size_t copy = 0; copy < copies_; ++copy)
    static_cast<void>(poison_new_tokens(operands(copy), stream));
}

double AttentionOnCuda::max_error(cuda::Stream stream) {
  unsigned wrong = 0;
  cuda::check(cudaMemsetAsync(wrong_.data(), 0, sizeof wrong, stream), "compare");
  cuda::check(count_wrong(operands(last_copy_), wrong_.data(), stream), "compare");
  cuda::check(cudaMemcpyAsync(&wrong, wrong_.data(), sizeof wrong, cudaMemcpyDeviceToHost, stream),
              "compare");
  cuda::check(cudaStreamSynchronize(stream), "compare");
  if (wrong != 0) return std::numeric_limits<double>::infinity();
  return PreparedProblem::max_error(stream);
}

// All rows, or a fixed sample of them if that would take too long.
void AttentionOnCuda::set_reference(cuda::Stream stream) {
  const std::int64_t all = sizes_.tokens * sizes_.q_heads;
  if (all == 0) return;
  const std::int64_t affordable = std::max<std::int64_t>(32, (std::int64_t{1} << 23) / window_);
  std::vector<std::int64_t> rows;
  Random random(options_.seed ^ 0x5eed);
  for (std::int64_t i = 0; i < std::min(all, affordable); ++i)
    rows.push_back(all <= affordable ? i : i == 0 ? all - 1 : random.below(all));
  const cuda::DeviceBuffer<std::int64_t> device_rows(rows.size());
  const cuda::DeviceBuffer<ExpectedValue> values(rows.size() * count_of(sizes_.head_size));
  std::vector<ExpectedValue> host(values.size());
  copy_to(device_rows, rows, stream);
  cuda::check(compute_rows(operands(last_copy_), device_rows.data(), static_cast<std::int64_t>(rows.size()),
                           values.data(), stream),
              "reference");
  cuda::check(cudaMemcpyAsync(host.data(), values.data(), host.size() * sizeof(ExpectedValue),
                              cudaMemcpyDeviceToHost, stream),
              "reference");
  cuda::check(cudaStreamSynchronize(stream), "reference");
  std::vector<cuda::Expected> expected;
  expected.reserve(host.size());
  for (std::size_t i = 0; i < host.size(); ++i) {
    const auto column = static_cast<std::int64_t>(i) % sizes_.head_size;
    expected.push_back({.at = rows[i / count_of(sizes_.head_size)] * sizes_.head_size + column,
                        .value = host[i].value,
                        .magnitude = host[i].magnitude});
  }
  y_.set_reference(expected, stream);
}

double AttentionOnCuda::tolerance_unrounded() const noexcept {
  return float32_tolerance(sizes_);
}

double AttentionOnCuda::tolerance() const noexcept {
  // Weights are rounded to bfloat16. The errors of the terms of a sum grow like a random walk, and never
  // beyond that of a single term. Few of the weights are large, so a sum counts fewer terms than it has. The
  // factor 8 must hold for the largest error of some ten million sums; in simulations, the largest error of
  // half a million sums needed a factor between 5.1 and 6.0.
  return float32_tolerance(sizes_) +
         0x1p-8 * std::min(1.0, 8 / std::sqrt(static_cast<double>(std::max<std::int64_t>(least_seen_, 1))));
}

double AttentionOnCuda::bytes() const noexcept {
  double seen = 0;
  for_each_sequence([&](std::int64_t context, std::int64_t tokens) {
    seen += static_cast<double>(context - std::max<std::int64_t>(context - tokens - window_ + 1, 0));
  });
  const auto cache_row = static_cast<double>(2 * sizes_.kv_heads * sizes_.head_size);
  const auto tokens = static_cast<double>(sizes_.tokens);
  const auto queries = tokens * static_cast<double>(sizes_.q_heads * sizes_.head_size);
  return cache_row * (seen * static_cast<double>(element_bytes(sizes_.type)) + 2 * tokens) + queries * 4;
}

double AttentionOnCuda::operations() const noexcept {
  double pairs = 0;  // of a token and a position that it sees
  for_each_sequence([&](std::int64_t context, std::int64_t tokens) {
    for (std::int64_t position = context - tokens; position < context; ++position)
      pairs += static_cast<double>(std::min(position + 1, window_));
  });
  return 4 * pairs * static_cast<double>(sizes_.q_heads * sizes_.head_size);
}

}  // namespace adaptive::kernels::ragged_paged_attention
