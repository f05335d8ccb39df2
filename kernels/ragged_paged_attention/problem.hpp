#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/common/buffer.hpp"
#include "kernels/common/cpu/host_reference.hpp"
#include "kernels/common/random.hpp"
#include "kernels/family.hpp"
#include "kernels/ragged_paged_attention/operands.hpp"

namespace adaptive::kernels::ragged_paged_attention {

/// The values of a shape by name.
struct Sizes {
  std::int64_t tokens, sequences, context, q_heads, kv_heads, head_size, page_size, window;
  Scores scores;
  Type type;
  explicit Sizes(const Shape& shape)
      : tokens(shape[0]),
        sequences(shape[1]),
        context(shape[2]),
        q_heads(shape[3]),
        kv_heads(shape[4]),
        head_size(shape[5]),
        page_size(shape[6]),
        window(shape[7]),
        scores(static_cast<Scores>(shape[8])),
        type(static_cast<Type>(shape[9])) {}

  std::int64_t group() const noexcept { return q_heads / kv_heads; }
};

/// The dimensions of every backend.
std::vector<Dimension> dimensions();

/// Explains what is wrong with a shape, for every backend; nothing if the shape is valid. No operand may have
/// more than 2^elements_log2 elements.
std::optional<std::string> why_no_attention(const Shape& shape, int elements_log2);

/// Upper limit of the relative error of sums in float32 (Problem::tolerance) for every backend.
double float32_tolerance(const Sizes& sizes) noexcept;

/// The soft cap of random problems that have one, and the scales of a float8 cache. The scales are not powers
/// of two, so that a missing one is noticed. The largest scores are about as large as the cap, so that it
/// matters.
inline constexpr float random_soft_cap = 5;
inline constexpr float float8_k_scale = 0.07F;
inline constexpr float float8_v_scale = 0.05F;
/// Queries are uniform below this magnitude, and keys and values below 1.
inline constexpr float random_query_size = 4;

/// The sequences of a random problem of a shape, for every backend.
struct Batch {
  std::vector<std::int32_t> first_token;  ///< [sequences + 1]
  std::vector<std::int32_t> contexts;     ///< [sequences]
};

/// One sequence has exactly the longest context; those of the others are random. If there are more tokens
/// than sequences, every sequence has one, and about a quarter of the sequences share the others as chunks of
/// prompts. If there are fewer, some sequences have none.
Batch make_batch(const Sizes& sizes, std::uint64_t seed);

/// The first position that the token at `position` sees.
inline std::int64_t first_seen(const Operands& operands, std::int64_t position) {
  return position < operands.window ? 0 : position - operands.window + 1;
}

/// Random operands on the host and their reference. Memory that no launch may read has values that are not
/// numbers: the rest of a page behind the last token, and what is behind the window.
class Data {
 public:
  Data(const Shape& shape, std::uint64_t seed);

  const Operands& operands() const noexcept { return operands_; }
  std::string description() const;
  /// Also fills the cache's places of the new tokens, which a launch must write.
  void poison_output() noexcept;
  std::span<const std::byte> output() const noexcept;
  /// Infinite also if the cache does not have the new tokens' keys and values.
  double max_error();
  double tolerance() const noexcept;
  double bytes() const noexcept;
  double operations() const noexcept;

 private:
  void make_pages(Random& random);
  void fill_cache(Random& random);
  /// Calls f(place in the cache, row of new_keys and new_values) for each new token and head.
  template <class F>
  void for_each_new_row(const F& f) const;
  bool cache_has_new_tokens() const;
  /// All elements, or those of a fixed sample of tokens and heads; computed at the first call.
  const std::vector<Expected>& reference();
  void add_expected(std::int64_t token, std::int64_t head, std::vector<Expected>& to) const;

  Sizes sizes_;
  std::uint64_t seed_;
  Batch batch_;
  std::int64_t pages_ = 0;
  std::vector<std::int32_t> page_table_;
  Buffer<std::byte> q_, new_keys_, new_values_, key_cache_, value_cache_;
  /// What the cache must have of the new tokens: [tokens][kv_heads][head_size] in the type of the cache.
  Buffer<std::byte> stored_keys_, stored_values_;
  Buffer<float> sinks_, y_;
  Operands operands_{};
  std::optional<std::vector<Expected>> reference_;
};

}  // namespace adaptive::kernels::ragged_paged_attention
