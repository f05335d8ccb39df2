#include <stdexcept>

#include "kernels/common/cpu/helper_thread.hpp"
#include "kernels/families.hpp"
#include "kernels/ragged_paged_attention/cpu/problem.hpp"
#include "kernels/ragged_paged_attention/problem.hpp"

namespace adaptive::kernels {
namespace {

class RaggedPagedAttention final : public Family {
 public:
  RaggedPagedAttention()
      : Family("ragged_paged_attention", ragged_paged_attention::dimensions(),
               ragged_paged_attention::cpu_variants()) {}

  std::optional<std::string> why_invalid(const Shape& shape) const override {
    return ragged_paged_attention::why_no_attention(shape, 32);
  }

  std::unique_ptr<Problem> make_problem(const Shape& shape, std::uint64_t seed) const override {
    if (const auto why = why_invalid(shape)) throw std::invalid_argument(name() + ": " + *why);
    start_helper_thread();
    return ragged_paged_attention::make_cpu_problem(shape, seed, variants());
  }

  // tokens, sequences, context, q_heads, kv_heads, head_size, page_size, window, scores (plain, soft_cap,
  // sinks, soft_cap_sinks), dtype (float32, bfloat16, float8_e4m3).
  std::vector<Shape> test_shapes() const override {
    return {{1, 1, 1, 1, 1, 64, 16, 0, 0, 0},        // one token that sees itself
            {1, 1, 33, 4, 1, 64, 16, 0, 0, 1},       // an odd number of pages
            {3, 3, 70, 8, 2, 128, 32, 0, 2, 1},      // decode, sinks
            {2, 2, 300, 16, 1, 64, 48, 0, 1, 0},     // a group of 16, pages that are no power of two
            {4, 4, 290, 5, 5, 64, 256, 33, 0, 1},    // a page of more positions than most sequences have
            {1, 1, 1300, 2, 1, 64, 64, 0, 2, 0},     // parts of the keys
            {2, 2, 2100, 8, 1, 64, 16, 0, 0, 1},     // likewise, heads of a group in two tiles
            {2, 2, 1500, 3, 1, 64, 16, 1100, 1, 2},  // likewise, parts that a window cuts
            {5, 5, 40, 14, 2, 64, 16, 1, 0, 2},      // groups of 7; every token sees itself alone
            {3, 7, 50, 6, 3, 64, 16, 0, 3, 1},       // sequences without a token
            {17, 1, 17, 4, 2, 64, 16, 0, 0, 0},      // a whole prompt
            {20, 2, 100, 2, 2, 128, 16, 0, 1, 1},    // chunks of prompts
            {40, 9, 90, 4, 1, 64, 32, 0, 2, 1},      // mixed
            {31, 6, 61, 6, 2, 256, 16, 0, 0, 0},     // the largest head
            {25, 4, 600, 3, 1, 64, 128, 300, 3, 1},  // mixed, windows over several blocks of keys
            {70, 3, 270, 2, 2, 64, 16, 20, 0, 2},    // mixed, a window within a block
            {12, 2, 30, 12, 4, 128, 16, 0, 2, 2},    // few tokens for each sequence
            {90, 2, 48, 1, 1, 64, 16, 0, 1, 1},      // nearly all of both sequences is new
            {0, 2, 20, 2, 1, 64, 16, 0, 0, 1},       // nothing to do
            {80, 1, 80, 7, 7, 64, 16, 70, 1, 0},     // blocks of 64 queries, without groups
            {6, 3, 9, 32, 1, 64, 16, 4, 3, 2}};      // a group of 32
  }

  // Steps of Llama-3-8B (32 heads on 8 of 128), Qwen3-0.6B (16 on 8 of 128), a model without groups,
  // gpt-oss-20b (64 on 8 of 64, half of the layers with a window of 128), Gemma-2-2B (8 on 4 of 256, soft
  // cap) and of a model with one key/value head: decode, chunks of prompts, and both.
  std::vector<Shape> bench_shapes() const override {
    return {{1, 1, 512, 32, 8, 128, 16, 0, 0, 1},     {1, 1, 4096, 32, 8, 128, 16, 0, 0, 1},
            {8, 8, 1024, 32, 8, 128, 16, 0, 0, 1},    {8, 8, 1024, 32, 8, 128, 16, 0, 0, 2},
            {32, 32, 256, 32, 8, 128, 16, 0, 0, 1},   {4, 4, 1024, 16, 8, 128, 128, 0, 0, 0},
            {1, 1, 8192, 16, 1, 128, 64, 0, 0, 1},    {8, 8, 2048, 64, 8, 64, 16, 128, 2, 1},
            {8, 8, 1024, 64, 8, 64, 16, 0, 2, 1},     {4, 4, 1024, 8, 4, 256, 32, 0, 1, 1},
            {128, 1, 128, 32, 8, 128, 16, 0, 0, 1},   {256, 1, 1024, 16, 8, 128, 16, 0, 0, 1},
            {256, 1, 256, 16, 8, 128, 16, 0, 0, 0},   {64, 8, 512, 32, 8, 128, 16, 0, 0, 1},
            {128, 16, 512, 16, 8, 128, 128, 0, 0, 2}, {64, 4, 1024, 8, 4, 256, 32, 512, 1, 1},
            {8, 8, 512, 8, 8, 128, 16, 0, 0, 1},      {64, 16, 1024, 8, 8, 128, 16, 0, 0, 1},
            {128, 32, 512, 16, 8, 128, 16, 0, 0, 1}};
  }
};

}  // namespace

const Family& ragged_paged_attention_family() {
  static const Family& family = *new RaggedPagedAttention;  // leaked: usable until the process ends
  return family;
}

}  // namespace adaptive::kernels
