#include "kernels/ragged_paged_attention/problem.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#include "kernels/common/float8.hpp"

namespace adaptive::kernels::ragged_paged_attention {
namespace {

std::size_t place(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

std::int64_t bytes_of(Type type) {
  return type == Type::float32 ? 4 : type == Type::bfloat16 ? 2 : 1;
}

/// Of queries and new tokens.
Type input_type(Type cache) {
  return cache == Type::float32 ? Type::float32 : Type::bfloat16;
}

std::uint16_t to_bfloat16(float value) {
  // Rounds half up: it does not matter to which of two neighbours a random number is rounded.
  return static_cast<std::uint16_t>((std::bit_cast<std::uint32_t>(value) + 0x8000u) >> 16);
}

void store(std::byte* to, Type type, float value) {
  if (type == Type::float32) {
    std::memcpy(to, &value, sizeof value);
  } else if (type == Type::bfloat16) {
    const std::uint16_t rounded = to_bfloat16(value);
    std::memcpy(to, &rounded, sizeof rounded);
  } else {
    *to = static_cast<std::byte>(to_e4m3(value));
  }
}

float load(const std::byte* from, Type type) {
  float value;
  std::memcpy(&value, from, sizeof value);
  if (type == Type::float32) return value;
  std::uint16_t half;
  std::memcpy(&half, from, sizeof half);
  return from_bfloat16(half);
}

Buffer<std::byte> random_buffer(std::int64_t elements, Type type, float size, Random& random) {
  Buffer<std::byte> buffer(place(elements * bytes_of(type)));
  for (std::int64_t i = 0; i < elements; ++i)
    store(&buffer[place(i * bytes_of(type))], type, random.uniform(-size, size));
  return buffer;
}

// All bits set are not a number in each of the three types.
constexpr int no_number = 0xff;

}  // namespace

std::vector<Dimension> dimensions() {
  using Kind = Dimension::Kind;
  return {{"tokens", Kind::size},
          {"sequences", Kind::size},
          {"context", Kind::size},
          {"q_heads", Kind::size},
          {"kv_heads", Kind::size},
          {"head_size", Kind::size},
          {"page_size", Kind::size},
          {"window", Kind::size},
          {"scores", Kind::label, {"plain", "soft_cap", "sinks", "soft_cap_sinks"}},
          {"dtype", Kind::label, {"float32", "bfloat16", "float8_e4m3"}}};
}

std::optional<std::string> why_no_attention(const Shape& shape, int elements_log2) {
  static const std::vector<Dimension> names = dimensions();
  if (auto why = why_out_of_range(names, shape)) return why;
  for (std::size_t i = 1; i < 7; ++i)
    if (shape[i] == 0) return names[i].name + " is 0; it must be at least 1";
  const Sizes sizes(shape);
  if (sizes.q_heads % sizes.kv_heads != 0)
    return "q_heads is " + std::to_string(sizes.q_heads) + "; it must be a multiple of kv_heads, " +
           std::to_string(sizes.kv_heads);
  if (sizes.group() > group_max) return "q_heads is more than 128 times kv_heads";
  if (sizes.head_size != 64 && sizes.head_size != 128 && sizes.head_size != 256)
    return "head_size is " + std::to_string(sizes.head_size) + "; it must be 64, 128 or 256";
  if (sizes.page_size % 16 != 0 || sizes.page_size > 256)
    return "page_size is " + std::to_string(sizes.page_size) +
           "; it must be a multiple of 16, and at most 256";
  // Positions and places in the page table are of 32 bits.
  if (sizes.context > std::int64_t{1} << 24) return "context is above 2^24";
  const std::int64_t elements_max = std::int64_t{1} << elements_log2;
  const std::string above = " is above 2^" + std::to_string(elements_log2);
  if (sizes.kv_heads > elements_max / (sizes.head_size * (sizes.context + sizes.page_size)) / sizes.sequences)
    return "sequences * context * kv_heads * head_size" + above;
  if (sizes.tokens > sizes.sequences * sizes.context) return "tokens is above sequences * context";
  if (sizes.tokens > elements_max / (sizes.q_heads * sizes.head_size))
    return "tokens * q_heads * head_size" + above;
  return std::nullopt;
}

double float32_tolerance(const Sizes& sizes) noexcept {
  // An error of a score becomes a relative error of its weight. Scores are sums of head_size terms, whose
  // magnitudes add up to about sqrt(head_size); the rounding errors of a sum grow like a random walk.
  return static_cast<double>(std::numeric_limits<float>::epsilon()) *
         (16 + 2 * std::sqrt(static_cast<double>(sizes.head_size)) +
          std::sqrt(static_cast<double>(sizes.context)) / 4);
}

Batch make_batch(const Sizes& sizes, std::uint64_t seed) {
  Random random(seed ^ 0xba7c);
  const auto count = place(sizes.sequences);
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = 0; i < count; ++i)
    std::swap(order[i], order[i + place(random.below(static_cast<std::int64_t>(count - i)))]);
  std::vector<std::int64_t> tokens(count, 0);
  std::int64_t left = sizes.tokens;
  for (std::size_t i = 0; i < count && left > 0; ++i, --left) tokens[order[i]] = 1;
  const std::size_t prompts = (count + 3) / 4;
  for (std::size_t i = 0; i < count && left > 0; ++i) {
    std::int64_t chunk = left;
    if (i + 1 < prompts) {  // about as many for each, but not the same
      const std::int64_t even = left / static_cast<std::int64_t>(prompts - i);
      chunk = even / 2 + random.below(even + 1);
    }
    chunk = std::min({chunk, left, sizes.context - 1});
    tokens[order[i]] += chunk;
    left -= chunk;
  }
  // What is left if nearly every sequence consists of new tokens.
  for (std::size_t i = 0; i < count && left > 0; ++i) {
    const std::int64_t more = std::min(left, sizes.context - tokens[order[i]]);
    tokens[order[i]] += more;
    left -= more;
  }
  Batch batch;
  batch.first_token.push_back(0);
  batch.contexts.resize(count);
  for (std::size_t s = 0; s < count; ++s) {
    batch.first_token.push_back(batch.first_token.back() + static_cast<std::int32_t>(tokens[s]));
    batch.contexts[s] = static_cast<std::int32_t>(tokens[s] + random.below(sizes.context - tokens[s] + 1));
  }
  batch.contexts[order[0]] = static_cast<std::int32_t>(sizes.context);
  return batch;
}

Data::Data(const Shape& shape, std::uint64_t seed)
    : sizes_(shape), seed_(seed), batch_(make_batch(sizes_, seed)) {
  Random random(seed);
  const Type input = input_type(sizes_.type);
  const std::int64_t new_elements = sizes_.tokens * sizes_.kv_heads * sizes_.head_size;
  q_ = random_buffer(sizes_.tokens * sizes_.q_heads * sizes_.head_size, input, random_query_size, random);
  new_keys_ = random_buffer(new_elements, input, 1, random);
  new_values_ = random_buffer(new_elements, input, 1, random);
  const bool has_cap = sizes_.scores == Scores::soft_cap || sizes_.scores == Scores::soft_cap_sinks;
  const bool has_sinks = sizes_.scores == Scores::sinks || sizes_.scores == Scores::soft_cap_sinks;
  if (has_sinks) {
    sinks_ = Buffer<float>(place(sizes_.q_heads));
    for (float& sink : sinks_) sink = random.uniform(0, 8);  // of the size of a few hundred scores
  }
  y_ = Buffer<float>(place(sizes_.tokens * sizes_.q_heads * sizes_.head_size));
  operands_ = {.tokens = sizes_.tokens,
               .sequences = sizes_.sequences,
               .q_heads = sizes_.q_heads,
               .kv_heads = sizes_.kv_heads,
               .head_size = sizes_.head_size,
               .page_size = sizes_.page_size,
               .pages_per_sequence = (sizes_.context + sizes_.page_size - 1) / sizes_.page_size,
               .window = sizes_.window == 0 ? sizes_.context : sizes_.window,
               .type = sizes_.type,
               .scale = 1 / std::sqrt(static_cast<float>(sizes_.head_size)),
               .soft_cap = has_cap ? random_soft_cap : 0,
               .k_scale = sizes_.type == Type::float8_e4m3 ? float8_k_scale : 1,
               .v_scale = sizes_.type == Type::float8_e4m3 ? float8_v_scale : 1,
               .q = q_.data(),
               .new_keys = new_keys_.data(),
               .new_values = new_values_.data(),
               .key_cache = nullptr,
               .value_cache = nullptr,
               .page_table = nullptr,
               .first_token = batch_.first_token.data(),
               .contexts = batch_.contexts.data(),
               .sinks = has_sinks ? sinks_.data() : nullptr,
               .y = y_.data()};
  make_pages(random);
  fill_cache(random);
  stored_keys_ = Buffer<std::byte>(place(new_elements * bytes_of(sizes_.type)));
  stored_values_ = Buffer<std::byte>(stored_keys_.size());
  for (std::int64_t i = 0; i < new_elements; ++i) {
    const std::int64_t from = i * bytes_of(input);
    const std::int64_t to = i * bytes_of(sizes_.type);
    store(&stored_keys_[place(to)], sizes_.type, load(&new_keys_[place(from)], input) / operands_.k_scale);
    store(&stored_values_[place(to)], sizes_.type,
          load(&new_values_[place(from)], input) / operands_.v_scale);
  }
  poison_output();
}

// Pages are in random order. Those that no new token sees do not exist.
void Data::make_pages(Random& random) {
  page_table_.assign(place(sizes_.sequences * operands_.pages_per_sequence), -1);
  std::vector<std::size_t> used;
  for (std::int64_t s = 0; s < sizes_.sequences; ++s) {
    const std::int64_t context = batch_.contexts[place(s)];
    const std::int64_t tokens = batch_.first_token[place(s + 1)] - batch_.first_token[place(s)];
    if (tokens == 0) continue;
    const std::int64_t first = first_seen(operands_, context - tokens) / sizes_.page_size;
    for (std::int64_t page = first; page * sizes_.page_size < context; ++page)
      used.push_back(place(s * operands_.pages_per_sequence + page));
  }
  pages_ = static_cast<std::int64_t>(used.size());
  for (std::size_t i = 0; i < used.size(); ++i) {
    std::swap(used[i], used[i + place(random.below(pages_ - static_cast<std::int64_t>(i)))]);
    page_table_[used[i]] = static_cast<std::int32_t>(i);
  }
  operands_.page_table = page_table_.data();
}

void Data::fill_cache(Random& random) {
  const std::int64_t row_bytes = sizes_.head_size * bytes_of(sizes_.type);
  const std::int64_t cache_bytes = pages_ * sizes_.kv_heads * sizes_.page_size * row_bytes;
  for (auto& [cache, scale] :
       {std::pair(&key_cache_, operands_.k_scale), {&value_cache_, operands_.v_scale}}) {
    *cache = Buffer<std::byte>(place(cache_bytes));
    std::memset(cache->data(), no_number, cache->size());
    for (std::int64_t s = 0; s < sizes_.sequences; ++s) {
      const std::int64_t end =
          batch_.contexts[place(s)] - (batch_.first_token[place(s + 1)] - batch_.first_token[place(s)]);
      if (end == batch_.contexts[place(s)]) continue;  // no new token
      for (std::int64_t position = first_seen(operands_, end); position < end; ++position) {
        const std::int64_t page =
            page_table_[place(s * operands_.pages_per_sequence + position / sizes_.page_size)];
        for (std::int64_t head = 0; head < sizes_.kv_heads; ++head) {
          std::byte* const row =
              cache->data() +
              ((page * sizes_.kv_heads + head) * sizes_.page_size + position % sizes_.page_size) * row_bytes;
          for (std::int64_t i = 0; i < sizes_.head_size; ++i)
            store(row + i * bytes_of(sizes_.type), sizes_.type, random.uniform(-1, 1) / scale);
        }
      }
    }
  }
  operands_.key_cache = key_cache_.data();
  operands_.value_cache = value_cache_.data();
}

template <class F>
void Data::for_each_new_row(const F& f) const {
  const std::int64_t row_bytes = sizes_.head_size * bytes_of(sizes_.type);
  for (std::int64_t s = 0; s < sizes_.sequences; ++s) {
    const std::int64_t first = batch_.first_token[place(s)];
    const std::int64_t end = batch_.first_token[place(s + 1)];
    for (std::int64_t token = first; token < end; ++token) {
      const std::int64_t position = batch_.contexts[place(s)] - end + token;
      const std::int64_t page =
          page_table_[place(s * operands_.pages_per_sequence + position / sizes_.page_size)];
      for (std::int64_t head = 0; head < sizes_.kv_heads; ++head)
        f(place(((page * sizes_.kv_heads + head) * sizes_.page_size + position % sizes_.page_size) *
                row_bytes),
          place((token * sizes_.kv_heads + head) * row_bytes), place(row_bytes));
    }
  }
}

std::string Data::description() const {
  std::string lengths;
  for (std::int64_t s = 0; s < sizes_.sequences; ++s) {
    if (!lengths.empty()) lengths += ", ";
    lengths += std::to_string(batch_.first_token[place(s + 1)] - batch_.first_token[place(s)]) + " of " +
               std::to_string(batch_.contexts[place(s)]);
  }
  static const std::vector<Dimension> names = dimensions();
  return std::to_string(sizes_.q_heads) + " heads on " + std::to_string(sizes_.kv_heads) + " of " +
         std::to_string(sizes_.head_size) + ", pages of " + std::to_string(sizes_.page_size) + ", window " +
         std::to_string(sizes_.window) + ", " +
         names[8].labels[place(static_cast<std::int64_t>(sizes_.scores))] + ", " +
         names[9].labels[place(static_cast<std::int64_t>(sizes_.type))] + ", new tokens {" + lengths +
         "}, seed " + std::to_string(seed_);
}

void Data::poison_output() noexcept {
  std::fill(y_.begin(), y_.end(), std::numeric_limits<float>::quiet_NaN());
  for_each_new_row([this](std::size_t at, std::size_t, std::size_t bytes) {
    std::memset(&key_cache_[at], no_number, bytes);
    std::memset(&value_cache_[at], no_number, bytes);
  });
}

bool Data::cache_has_new_tokens() const {
  bool has = true;
  for_each_new_row([&](std::size_t at, std::size_t row, std::size_t bytes) {
    has = has && std::memcmp(&key_cache_[at], &stored_keys_[row], bytes) == 0 &&
          std::memcmp(&value_cache_[at], &stored_values_[row], bytes) == 0;
  });
  return has;
}

std::span<const std::byte> Data::output() const noexcept {
  return std::as_bytes(std::span(y_.data(), y_.size()));
}

double Data::bytes() const noexcept {
  double seen = 0;
  for (std::int64_t s = 0; s < sizes_.sequences; ++s) {
    const std::int64_t context = batch_.contexts[place(s)];
    const std::int64_t tokens = batch_.first_token[place(s + 1)] - batch_.first_token[place(s)];
    if (tokens > 0) seen += static_cast<double>(context - first_seen(operands_, context - tokens));
  }
  const auto cache_row = static_cast<double>(2 * sizes_.kv_heads * sizes_.head_size);
  const auto tokens = static_cast<double>(sizes_.tokens);
  const auto input = static_cast<double>(bytes_of(input_type(sizes_.type)));
  const auto queries = tokens * static_cast<double>(sizes_.q_heads * sizes_.head_size);
  // The new tokens' rows are read in the input's type, and written in that of the cache.
  return cache_row * (seen * static_cast<double>(bytes_of(sizes_.type)) + tokens * input) +
         queries * (input + 4);
}

double Data::operations() const noexcept {
  double pairs = 0;  // of a token and a position that it sees
  for (std::int64_t s = 0; s < sizes_.sequences; ++s) {
    const std::int64_t context = batch_.contexts[place(s)];
    const std::int64_t tokens = batch_.first_token[place(s + 1)] - batch_.first_token[place(s)];
    for (std::int64_t position = context - tokens; position < context; ++position)
      pairs += static_cast<double>(position + 1 - first_seen(operands_, position));
  }
  return 4 * pairs * static_cast<double>(sizes_.q_heads * sizes_.head_size);
}

}  // namespace adaptive::kernels::ragged_paged_attention
