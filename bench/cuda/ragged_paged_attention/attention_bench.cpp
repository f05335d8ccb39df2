// attention_bench --out FILE.jsonl [--steps decode,prefill,…] [--heads 64,256…] [--types 1,2]
// [--contexts 512,4096…] [--launches overlapping|apart] [--variants NAME,NAME…] [--samples N] [--prune F]
//
// Times every variant of ragged_paged_attention on the GPU over steps of engines. Writes one JSON object per
// step: its kind, the shape, the new tokens and the context of each sequence (peers.py times PyTorch's
// attention on the same lengths, with a contiguous cache), and the microseconds of each variant. A launch
// includes the store of the new tokens; launches overlap unless it is asked otherwise
// (ProblemOptions::overlaps). bench/cuda/interleaved describes the method.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bench/cuda/interleaved/interleaved.hpp"
#include "bench/cuda/interleaved/options.hpp"
#include "bench/cuda/interleaved/output.hpp"
#include "bench/run_main.hpp"
#include "kernels/common/cuda/memory.hpp"
#include "kernels/cuda_family.hpp"
#include "kernels/ragged_paged_attention/cuda/methods.hpp"
#include "kernels/ragged_paged_attention/cuda/problem.hpp"

namespace {

using namespace adaptive::kernels;
using ragged_paged_attention::Batch;
namespace bench = adaptive::bench;

/// Heads, and how the cache is stored.
struct Model {
  std::int64_t q_heads, kv_heads, head_size, page_size, window, scores, dtype;
};
constexpr Model llama = {32, 8, 128, 16, 0, 0, 1};
constexpr Model llama_float8 = {32, 8, 128, 16, 0, 0, 2};
constexpr Model llama_pages64 = {32, 8, 128, 64, 0, 0, 1};
constexpr Model small_heads = {64, 8, 64, 16, 0, 0, 1};
constexpr Model large_heads = {16, 8, 256, 16, 0, 0, 1};
constexpr Model large_float8 = {16, 8, 256, 16, 0, 0, 2};
constexpr Model many_heads = {64, 8, 128, 16, 0, 0, 1};

struct Step {
  std::string kind;
  Model model;
  std::vector<std::int64_t> tokens, contexts;  // of each sequence
};

void add(std::vector<Step>& steps, const std::string& kind, const Model& model, std::int64_t sequences,
         std::int64_t tokens, std::int64_t context) {
  const auto count = static_cast<std::size_t>(sequences);
  steps.push_back(
      {kind, model, std::vector<std::int64_t>(count, tokens), std::vector<std::int64_t>(count, context)});
}

/// Lengths from 1/16 of the longest to the longest, evenly spread.
void add_ragged(std::vector<Step>& steps, std::int64_t sequences, std::int64_t longest) {
  Step step = {"ragged", llama, std::vector<std::int64_t>(static_cast<std::size_t>(sequences), 1), {}};
  for (std::int64_t s = 0; s < sequences; ++s)
    step.contexts.push_back(longest / 16 +
                            (longest - longest / 16) * ((s * 7 + 3) % sequences) / (sequences - 1));
  step.contexts.front() = longest;
  steps.push_back(step);
}

/// `decodes` sequences with one token and `context`, and one prompt; and both apart.
void add_mixed(std::vector<Step>& steps, const Model& model, std::int64_t decodes, std::int64_t context,
               std::int64_t prompt) {
  add(steps, "mixed_decode", model, decodes, 1, context);
  add(steps, "mixed_prompt", model, 1, prompt, prompt);
  add(steps, "mixed", model, decodes, 1, context);
  steps.back().tokens.push_back(prompt);
  steps.back().contexts.push_back(prompt);
}

std::vector<Step> all_steps() {
  std::vector<Step> steps;
  for (const Model& model : {llama, many_heads, llama_pages64, llama_float8, small_heads, large_heads})
    add(steps, "decode", model, 32, 1, 4096);
  // Before the steps of tens of gigabytes, behind which memory is scattered: it took 12 % longer there.
  for (const Model& model : {llama, llama_float8, large_heads}) add(steps, "decode", model, 8, 1, 16384);
  for (const std::int64_t sequences : {1, 64}) add(steps, "decode", large_heads, sequences, 1, 2048);
  for (const std::int64_t sequences : {1, 4, 16, 64, 256})
    for (const std::int64_t context : {512, 2048, 8192, 32768})
      add(steps, "decode", llama, sequences, 1, context);
  add_ragged(steps, 64, 8192);
  add_ragged(steps, 256, 4096);
  for (const Model& model : {llama, small_heads})
    for (const std::int64_t context : {512, 1024, 2048, 4096, 8192})
      add(steps, "prefill", model, 1, context, context);
  add(steps, "prefill", llama, 4, 2048, 2048);
  for (const Model& model : {llama_float8, large_heads})
    for (const std::int64_t context : {4096, 8192}) add(steps, "prefill", model, 1, context, context);
  add(steps, "prefill", large_float8, 1, 4096, 4096);
  add(steps, "chunk", llama, 1, 2048, 8192);
  add_mixed(steps, llama, 64, 4096, 2048);
  add_mixed(steps, llama, 16, 8192, 1024);
  return steps;
}

Batch batch_of(const Step& step) {
  Batch batch;
  batch.first_token.push_back(0);
  for (std::size_t s = 0; s < step.tokens.size(); ++s) {
    batch.first_token.push_back(batch.first_token.back() + static_cast<std::int32_t>(step.tokens[s]));
    batch.contexts.push_back(static_cast<std::int32_t>(step.contexts[s]));
  }
  return batch;
}

bool has(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

void measure(const Step& step, const cuda::Family& family, const std::vector<std::string>& variants,
             bool overlaps, bench::Interleaved& interleaved, bench::JsonLines& out) {
  Batch batch = batch_of(step);
  const Model& m = step.model;
  const Shape shape = {batch.first_token.back(),
                       static_cast<std::int64_t>(step.tokens.size()),
                       *std::max_element(step.contexts.begin(), step.contexts.end()),
                       m.q_heads,
                       m.kv_heads,
                       m.head_size,
                       m.page_size,
                       m.window,
                       m.scores,
                       m.dtype};
  if (const auto why = family.why_invalid(shape)) throw std::invalid_argument(*why);
  ragged_paged_attention::AttentionOnCuda problem(
      shape, {.seed = 1, .rotate_bytes = std::size_t{256} << 20, .overlaps = overlaps}, family,
      ragged_paged_attention::device_methods(), std::move(batch));
  for (const std::size_t v : family.candidates(shape))
    if (has(variants, family.variant(v).name)) interleaved.add(family.variant(v).name, family, problem, v);
  const auto us = interleaved.medians();
  if (us.empty()) return;
  out.text("kind", step.kind)
      .numbers("shape", shape)
      .numbers("tokens", step.tokens)
      .numbers("contexts", step.contexts)
      .number("bytes", problem.bytes())
      .number("operations", problem.operations())
      .microseconds("us", us)
      .end_line();
  const auto [name, best_us] = bench::least(us);
  std::printf(
      "%-12s %3zu x %5lld of %5lld, head %3lld type %lld  %-42s %9.1f us  %5.2f TB/s  %4.0f TFLOP/s\n",
      step.kind.c_str(), step.tokens.size(), static_cast<long long>(step.tokens.back()),
      static_cast<long long>(step.contexts.back()), static_cast<long long>(m.head_size),
      static_cast<long long>(m.dtype), name.c_str(), best_us, problem.bytes() / best_us * 1e-6,
      problem.operations() / best_us * 1e-6);
  std::fflush(stdout);
}

int run(const std::vector<std::string>& arguments) {
  std::vector<std::string> kinds, heads, types, contexts, variants;
  bool overlaps = true;
  const bench::FamilyOptions options =
      bench::parse_options(arguments, [&](const std::string& option, const std::string& value) {
        const std::pair<const char*, std::vector<std::string>*> lists[] = {{"--steps", &kinds},
                                                                           {"--heads", &heads},
                                                                           {"--types", &types},
                                                                           {"--contexts", &contexts},
                                                                           {"--variants", &variants}};
        for (const auto& [name, list] : lists)
          if (option == name) {
            *list = bench::split(value);
            return true;
          }
        if (option != "--launches") return false;
        overlaps = value == "overlapping";
        return true;
      });
  const cuda::Family* family = cuda::find_family("ragged_paged_attention");
  if (family == nullptr) throw std::runtime_error("this build has no CUDA");
  bench::JsonLines out(options.out);
  cudaStream_t stream = nullptr;
  cuda::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  bench::Interleaved interleaved(options.sampling, stream);
  for (const Step& step : all_steps()) {
    const auto wanted = [&](const std::string& kind) { return step.kind.starts_with(kind); };
    if ((kinds.empty() || std::any_of(kinds.begin(), kinds.end(), wanted)) &&
        has(heads, std::to_string(step.model.head_size)) && has(types, std::to_string(step.model.dtype)) &&
        has(contexts, std::to_string(step.contexts.front())))
      measure(step, *family, variants, overlaps, interleaved, out);
  }
  family->release(stream);
  return interleaved.wrong() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return adaptive::bench::run_main("attention_bench", argc, argv, run);
}
