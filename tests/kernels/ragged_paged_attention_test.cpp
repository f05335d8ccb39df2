// Tests what is special about ragged_paged_attention: its batches, the cache that a launch writes, and scores
// that are far apart. variant_test.cpp compares every variant with the reference.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/families.hpp"
#include "kernels/ragged_paged_attention/cpu/kernels.hpp"
#include "kernels/ragged_paged_attention/cpu/workspace.hpp"
#include "kernels/ragged_paged_attention/problem.hpp"

namespace adaptive::kernels::ragged_paged_attention {
namespace {

// tokens, sequences, context, q_heads, kv_heads, head_size, page_size, window, scores, dtype
const Shape mixed = {40, 9, 90, 4, 1, 64, 32, 0, 2, 1};

constexpr Method portable = {rows2_portable, nullptr, 1, 256, 0, 1};
constexpr Method by_eigen = {nullptr, eigen_blocks, 32, 128, 0, 1};

TEST(RaggedPagedAttention, ABatchHasWhatItsShapeSays) {
  const Family& family = ragged_paged_attention_family();
  for (const auto& shapes : {family.test_shapes(), family.bench_shapes()})
    for (const Shape& shape : shapes)
      for (const std::uint64_t seed : {1u, 2u, 3u}) {
        SCOPED_TRACE(to_string(family, shape));
        const Sizes sizes(shape);
        const Batch batch = make_batch(sizes, seed);
        ASSERT_EQ(batch.contexts.size(), static_cast<std::size_t>(sizes.sequences));
        ASSERT_EQ(batch.first_token.size(), batch.contexts.size() + 1);
        EXPECT_EQ(batch.first_token.back(), sizes.tokens);
        EXPECT_EQ(*std::max_element(batch.contexts.begin(), batch.contexts.end()), sizes.context);
        for (std::size_t s = 0; s < batch.contexts.size(); ++s) {
          const std::int32_t tokens = batch.first_token[s + 1] - batch.first_token[s];
          EXPECT_GE(tokens, sizes.tokens >= sizes.sequences ? 1 : 0);
          EXPECT_LE(tokens, batch.contexts[s]);
        }
      }
}

TEST(RaggedPagedAttention, RefusesWhatNoKernelComputes) {
  const auto why = [](std::size_t dimension, std::int64_t value) {
    Shape shape = mixed;
    shape[dimension] = value;
    return why_no_attention(shape, 32).value_or("");
  };
  EXPECT_EQ(why(0, 40), "");
  EXPECT_NE(why(0, 9 * 90 + 1).find("tokens is above sequences"), std::string::npos);
  EXPECT_NE(why(4, 3).find("multiple of kv_heads"), std::string::npos);
  EXPECT_NE(why(3, 129).find("128 times kv_heads"), std::string::npos);
  EXPECT_NE(why(5, 96).find("head_size is 96"), std::string::npos);
  EXPECT_NE(why(6, 24).find("page_size is 24"), std::string::npos);
  EXPECT_NE(why(6, 512).find("page_size is 512"), std::string::npos);
  EXPECT_NE(why(1, std::int64_t{1} << 30).find("above 2^32"), std::string::npos);
}

TEST(RaggedPagedAttention, NoticesACacheWithoutTheNewTokens) {
  for (const std::int64_t type : {0, 1, 2}) {
    Shape shape = mixed;
    shape[9] = type;
    Data data(shape, 4);
    Workspace(data.operands(), 0).run(data.operands(), portable);
    EXPECT_LE(data.max_error(), data.tolerance());
    // The last token's last value: its bits are changed, the output is not.
    const Operands& o = data.operands();
    const std::int64_t position = o.contexts[o.sequences - 1] - 1;
    ASSERT_GT(o.first_token[o.sequences], o.first_token[o.sequences - 1]);
    const std::int64_t page = o.page_table[(o.sequences - 1) * o.pages_per_sequence + position / o.page_size];
    const std::int64_t element =
        (((page + 1) * o.kv_heads - 1) * o.page_size + position % o.page_size + 1) * o.head_size - 1;
    const std::int64_t bytes = type == 0 ? 4 : type == 1 ? 2 : 1;
    static_cast<unsigned char*>(o.value_cache)[element * bytes] ^= 1;
    EXPECT_TRUE(std::isinf(data.max_error())) << type;
  }
}

// With queries 256 times as large, nearly every weight is 0 or 1, and exponentials would overflow.
TEST(RaggedPagedAttention, ScoresMayBeFarApart) {
  for (const Method& method : {portable, by_eigen}) {
    Shape shape = mixed;
    shape[9] = 0;
    Data data(shape, 4);
    const Operands& o = data.operands();
    auto* const q = const_cast<float*>(static_cast<const float*>(o.q));
    for (std::int64_t i = 0; i < o.tokens * o.q_heads * o.head_size; ++i) q[i] *= 256;
    Workspace(o, 0).run(o, method);
    EXPECT_LE(data.max_error(), 256 * data.tolerance());
  }
}

// Parts of the keys are joined in order, whichever thread has computed them.
TEST(RaggedPagedAttention, PartsGiveTheSameBitsEachTime) {
  const Shape shape = {2, 2, 1400, 6, 2, 64, 16, 0, 2, 1};
  Data data(shape, 9);
  constexpr Method in_parts = {rows2_portable, nullptr, 1, 256, 256, 2};
  Workspace workspace(data.operands(), in_parts.split);
  std::vector<std::byte> first;
  for (int repeat = 0; repeat < 50; ++repeat) {
    data.poison_output();
    workspace.run(data.operands(), in_parts);
    const auto output = data.output();
    if (repeat == 0) first.assign(output.begin(), output.end());
    ASSERT_TRUE(std::ranges::equal(output, first));
  }
  EXPECT_LE(data.max_error(), data.tolerance());
}

// Lengths, pages, windows and groups in all combinations that the test shapes leave out.
TEST(RaggedPagedAttention, RandomShapesAgreeWithTheReference) {
  const Family& family = ragged_paged_attention_family();
  Random random(12);
  for (int round = 0; round < 40; ++round) {
    const std::int64_t sequences = 1 + random.below(6);
    const std::int64_t context = 1 + random.below(random.below(4) == 0 ? 700 : 60);
    const std::int64_t kv_heads = 1 + random.below(3);
    const bool decodes = random.below(2) == 0;
    const Shape shape = {
        decodes ? random.below(sequences + 1) : random.below(std::min<std::int64_t>(sequences * context, 90)),
        sequences,
        context,
        kv_heads * (1 + random.below(9)),
        kv_heads,
        std::int64_t{64} << random.below(2),
        16 * (1 + random.below(16)),
        random.below(2) == 0 ? 0 : 1 + random.below(context),
        random.below(4),
        random.below(3)};
    SCOPED_TRACE(to_string(family, shape));
    ASSERT_EQ(family.why_invalid(shape), std::nullopt);
    const auto problem = family.make_problem(shape, static_cast<std::uint64_t>(round));
    for (std::size_t v = 0; v < family.variants().size(); ++v) {
      if (!family.runs(v, shape)) continue;
      problem->poison_output();
      ASSERT_EQ(problem->launch(v), LaunchStatus::ok);
      EXPECT_LE(problem->max_error(), problem->tolerance()) << family.variants()[v].name;
    }
  }
}

// A token that sees only itself has its own value, whatever the scores are.
TEST(RaggedPagedAttention, AWindowOfOneIsTheTokensValue) {
  const Shape shape = {20, 3, 30, 4, 2, 64, 16, 1, 0, 0};
  Data data(shape, 2);
  const Operands& o = data.operands();
  Workspace(o, 0).run(o, by_eigen);
  const auto* const values = static_cast<const float*>(o.new_values);
  for (std::int64_t token = 0; token < o.tokens; ++token)
    for (std::int64_t head = 0; head < o.q_heads; ++head)
      for (std::int64_t i = 0; i < o.head_size; ++i)
        ASSERT_EQ(o.y[(token * o.q_heads + head) * o.head_size + i],
                  values[(token * o.kv_heads + head / 2) * o.head_size + i]);
}

}  // namespace
}  // namespace adaptive::kernels::ragged_paged_attention
