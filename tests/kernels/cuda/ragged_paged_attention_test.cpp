// Tests of ragged_paged_attention on the GPU beyond those for every family.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

#include "kernels/common/float8.hpp"
#include "kernels/common/random.hpp"
#include "kernels/ragged_paged_attention/cuda/problem.hpp"
#include "tests/kernels/cuda/support.hpp"

namespace adaptive::kernels::cuda {
namespace {

using ragged_paged_attention::AttentionOnCuda;
using ragged_paged_attention::DeviceOperands;

// tokens, sequences, context, q_heads, kv_heads, head_size, page_size, window, scores, dtype
const Shape mixed_step = {40, 9, 90, 4, 1, 64, 32, 0, 2, 1};

class Attention : public OnGpu {
 protected:
  const Family& family = *find_family("ragged_paged_attention");
};

template <class T>
std::vector<T> downloaded(const T* from, std::int64_t count) {
  std::vector<T> host(static_cast<std::size_t>(count));
  EXPECT_EQ(cudaMemcpy(host.data(), from, host.size() * sizeof(T), cudaMemcpyDeviceToHost), cudaSuccess);
  return host;
}

/// The operands of a problem with a cache of bfloat16 or float8, on the host.
struct Downloaded {
  DeviceOperands o;
  std::vector<std::int32_t> page_table, first_token, contexts;
  std::vector<std::uint16_t> q, new_keys, new_values, keys16, values16;
  std::vector<std::uint8_t> keys8, values8;
  std::vector<float> sinks;

  Downloaded(const DeviceOperands& operands, const Shape& shape) : o(operands) {
    const std::int64_t s = o.sequences, row = std::int64_t{o.kv_heads} * o.head_size;
    page_table = downloaded(o.page_table, s * o.pages_per_sequence);
    first_token = downloaded(o.first_token, s + 1);
    contexts = downloaded(o.contexts, s);
    q = downloaded(o.q, shape[0] * o.q_heads * o.head_size);
    new_keys = downloaded(o.new_keys, shape[0] * row);
    new_values = downloaded(o.new_values, shape[0] * row);
    const std::int64_t pages = 1 + *std::max_element(page_table.begin(), page_table.end());
    const std::int64_t elements = pages * o.page_size * row;
    if (o.float8) {
      keys8 = downloaded(static_cast<const std::uint8_t*>(o.key_cache), elements);
      values8 = downloaded(static_cast<const std::uint8_t*>(o.value_cache), elements);
    } else {
      keys16 = downloaded(static_cast<const std::uint16_t*>(o.key_cache), elements);
      values16 = downloaded(static_cast<const std::uint16_t*>(o.value_cache), elements);
    }
    if (o.sinks != nullptr) sinks = downloaded(o.sinks, o.q_heads);
  }

  /// A key or value of a position as a number; that of a new token is rounded as the cache is.
  double element(bool is_key, int sequence, int kv_head, int position, int i) const {
    const auto s = static_cast<std::size_t>(sequence);
    const int past = contexts[s] - (first_token[s + 1] - first_token[s]);
    const float scale = is_key ? o.k_scale : o.v_scale;
    if (position >= past) {
      const auto at = static_cast<std::size_t>(
          ((first_token[s] + position - past) * o.kv_heads + kv_head) * o.head_size + i);
      const float value = from_bfloat16(is_key ? new_keys[at] : new_values[at]);
      return o.float8 ? static_cast<double>(from_e4m3(to_e4m3(value / scale))) * static_cast<double>(scale)
                      : static_cast<double>(value);
    }
    const std::int64_t page = page_table[s * static_cast<std::size_t>(o.pages_per_sequence) +
                                         static_cast<std::size_t>(position / o.page_size)];
    const auto at = static_cast<std::size_t>(
        ((page * o.kv_heads + kv_head) * o.page_size + position % o.page_size) * o.head_size + i);
    return static_cast<double>(o.float8 ? from_e4m3(is_key ? keys8[at] : values8[at])
                                        : from_bfloat16(is_key ? keys16[at] : values16[at])) *
           static_cast<double>(scale);
  }
};

// The reference runs on the same device as the kernels that it checks; here the host checks both.
TEST_F(Attention, AgreesWithTheHost) {
  for (const Shape& shape :
       {mixed_step, Shape{25, 4, 60, 3, 1, 64, 16, 30, 3, 2}, Shape{5, 5, 40, 4, 2, 128, 16, 0, 1, 1}}) {
    const auto problem = family.make_problem(shape, {.seed = 4});
    SCOPED_TRACE(problem->description());
    ASSERT_EQ(problem->prepare(0, stream), LaunchStatus::ok);
    const std::vector<std::byte> output = problem->output(stream);
    const Downloaded d(dynamic_cast<AttentionOnCuda&>(*problem).device_operands(), shape);
    for (int s = 0; s < d.o.sequences; ++s) {
      const auto at = static_cast<std::size_t>(s);
      for (int token = d.first_token[at]; token < d.first_token[at + 1]; ++token)
        for (int head = 0; head < d.o.q_heads; ++head) {
          const int position = d.contexts[at] - d.first_token[at + 1] + token;
          const int first = std::max(position - d.o.window + 1, 0);
          std::vector<double> sums(static_cast<std::size_t>(d.o.head_size)), magnitudes(sums.size());
          double total =
              d.sinks.empty() ? 0 : std::exp(static_cast<double>(d.sinks[static_cast<std::size_t>(head)]));
          for (int p = first; p <= position; ++p) {
            double score = 0;
            for (int i = 0; i < d.o.head_size; ++i)
              score += static_cast<double>(from_bfloat16(
                           d.q[static_cast<std::size_t>((token * d.o.q_heads + head) * d.o.head_size + i)])) *
                       d.element(true, s, head / d.o.group, p, i);
            score /= std::sqrt(static_cast<double>(d.o.head_size));
            const auto cap = static_cast<double>(d.o.soft_cap);
            if (cap > 0) score = cap * std::tanh(score / cap);
            total += std::exp(score);
            for (int i = 0; i < d.o.head_size; ++i) {
              const double term = std::exp(score) * d.element(false, s, head / d.o.group, p, i);
              sums[static_cast<std::size_t>(i)] += term;
              magnitudes[static_cast<std::size_t>(i)] += std::abs(term);
            }
          }
          for (int i = 0; i < d.o.head_size; ++i) {
            std::uint16_t bits;
            std::memcpy(
                &bits,
                &output[static_cast<std::size_t>((token * d.o.q_heads + head) * d.o.head_size + i) * 2],
                sizeof bits);
            const double expected = sums[static_cast<std::size_t>(i)] / total;
            ASSERT_NEAR(static_cast<double>(from_bfloat16(bits)), expected,
                        std::abs(expected) * 0x1p-8 + 1e-5 * magnitudes[static_cast<std::size_t>(i)] / total)
                << "token " << token << " head " << head << " element " << i;
          }
        }
    }
    EXPECT_LE(problem->max_error(stream), problem->tolerance());
  }
}

// The tolerance of the others allows weights in bfloat16.
TEST_F(Attention, TheDefaultRoundsNothingBeforeTheOutput) {
  for (const Shape& shape : family.test_shapes()) {
    const auto problem = family.make_problem(shape, {.seed = 5});
    SCOPED_TRACE(problem->description());
    ASSERT_EQ(problem->prepare(0, stream), LaunchStatus::ok);
    EXPECT_LE(problem->max_error(stream), dynamic_cast<AttentionOnCuda&>(*problem).tolerance_unrounded());
  }
}

// One position too many or too few changes the result by less than the tolerance if there are many, but by
// more than the rounding of all elements together.
void expect_close(const std::vector<std::byte>& output, const std::vector<std::byte>& right) {
  ASSERT_EQ(output.size(), right.size());
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < output.size(); i += 2) {
    std::uint16_t a, b;
    std::memcpy(&a, &output[i], sizeof a);
    std::memcpy(&b, &right[i], sizeof b);
    difference += std::pow(static_cast<double>(from_bfloat16(a)) - static_cast<double>(from_bfloat16(b)), 2);
    size += std::pow(static_cast<double>(from_bfloat16(b)), 2);
  }
  EXPECT_LE(difference, 64e-6 * size);  // 0.8 % of the norm
}

// Lengths, pages, windows and groups in combinations that the test shapes leave out.
TEST_F(Attention, RandomShapesAgreeWithTheReference) {
  Random random(12);
  for (int round = 0; round < 40; ++round) {
    const std::int64_t sequences = 1 + random.below(9);
    const std::int64_t context = 1 + random.below(random.below(2) == 0 ? 2500 : 150);
    const std::int64_t kv_heads = 1 + random.below(4);
    const std::int64_t group = random.below(6) == 0 ? 17 + random.below(40) : 1 + random.below(16);
    const bool decodes = random.below(2) == 0;
    const Shape shape = {decodes ? random.below(sequences + 1)
                                 : random.below(std::min<std::int64_t>(sequences * context, 500)),
                         sequences,
                         context,
                         kv_heads * group,
                         kv_heads,
                         std::int64_t{64} << random.below(3),
                         16 * (1 + random.below(16)),
                         random.below(2) == 0 ? 0 : 1 + random.below(context),
                         random.below(4),
                         1 + random.below(2)};
    ASSERT_EQ(family.why_invalid(shape), std::nullopt);
    const auto problem = family.make_problem(shape, {.seed = static_cast<std::uint64_t>(round)});
    SCOPED_TRACE(problem->description());
    std::vector<std::byte> right;
    for (std::size_t v = 0; v < family.variant_count(); ++v) {
      if (!family.runs(v, shape)) continue;
      SCOPED_TRACE(family.variant(v).name);
      ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
      problem->poison_output(stream);
      ASSERT_EQ(problem->launch(v, stream), LaunchStatus::ok);
      EXPECT_LE(problem->max_error(stream), problem->tolerance());
      if (v == 0) right = problem->output(stream);
      expect_close(problem->output(stream), right);
    }
  }
}

TEST_F(Attention, NoticesACacheWithoutTheNewTokens) {
  for (const std::int64_t type : {1, 2}) {
    Shape shape = mixed_step;
    shape[9] = type;
    const auto problem = family.make_problem(shape, {.seed = 4});
    ASSERT_EQ(problem->prepare(0, stream), LaunchStatus::ok);
    EXPECT_LE(problem->max_error(stream), problem->tolerance());
    const auto& own = dynamic_cast<AttentionOnCuda&>(*problem);
    const DeviceOperands o = own.device_operands();
    const Downloaded d(o, shape);
    const auto last = d.contexts.size() - 1;
    ASSERT_GT(d.first_token[last + 1], d.first_token[last]);
    const int position = d.contexts[last] - 1;
    const std::int64_t page = d.page_table[last * static_cast<std::size_t>(o.pages_per_sequence) +
                                           static_cast<std::size_t>(position / o.page_size)];
    const std::int64_t element =
        (((page + 1) * o.kv_heads - 1) * o.page_size + position % o.page_size + 1) * o.head_size - 1;
    auto* const byte = static_cast<unsigned char*>(o.value_cache) + element * (type == 1 ? 2 : 1);
    unsigned char value = 0;
    ASSERT_EQ(cudaMemcpy(&value, byte, 1, cudaMemcpyDeviceToHost), cudaSuccess);
    value ^= 1;
    ASSERT_EQ(cudaMemcpy(byte, &value, 1, cudaMemcpyHostToDevice), cudaSuccess);
    EXPECT_EQ(problem->max_error(stream), std::numeric_limits<double>::infinity());
  }
}

// Whichever block is the last to finish, it joins the parts in order.
TEST_F(Attention, PartsGiveTheSameBitsEachTime) {
  const Shape shape = {2, 2, 1400, 6, 2, 64, 16, 0, 2, 1};
  const auto problem = family.make_problem(shape, {.seed = 9});
  int with_parts = 0;
  for (std::size_t v = 0; v < family.variant_count(); ++v) {
    if (!family.runs(v, shape) || !family.variant(v).memory) continue;
    SCOPED_TRACE(family.variant(v).name);
    EXPECT_GT(family.variant(v).memory(shape), 0u);
    ++with_parts;
    ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
    const std::vector<std::byte> first = problem->output(stream);
    for (int repeat = 0; repeat < 30; ++repeat) {
      problem->poison_output(stream);
      ASSERT_EQ(problem->launch(v, stream), LaunchStatus::ok);
      ASSERT_EQ(problem->output(stream), first);
    }
    EXPECT_LE(problem->max_error(stream), problem->tolerance());
  }
  EXPECT_GE(with_parts, 3);
}

}  // namespace
}  // namespace adaptive::kernels::cuda
