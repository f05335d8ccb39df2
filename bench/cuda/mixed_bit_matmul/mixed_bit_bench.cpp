// mixed_bit_bench --out FILE.jsonl [--out-features N] [--in-features N] [--bits W[+W…][,…]] [--tokens N[,N…]]
// [--samples N] [--prune F] [--models NAME[,…]|all] [--launches overlapping|apart]
//
// Times every variant of mixed_bit_matmul and, in the same turns, the dense bfloat16 product of the same
// sizes by the algorithms that cuBLASLt proposes ("dense …"). Writes one JSON object per shape, for report.py
// and peers.py. bench/cuda/interleaved describes the method. With --models, the sizes are those of the
// projections of models instead of --out-features and --in-features.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
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

namespace {

using namespace adaptive::kernels;
namespace bench = adaptive::bench;

struct Projection {
  const char* model;
  std::int64_t out_features, in_features;
};

/// Queries, keys and values together; output; gate and up together; down. On one GPU, or on one of four.
constexpr Projection projections[] = {
    {"qwen3-4b", 6144, 2560},       {"qwen3-4b", 2560, 4096},      {"qwen3-4b", 19456, 2560},
    {"qwen3-4b", 2560, 9728},       {"llama-3-8b", 6144, 4096},    {"llama-3-8b", 4096, 4096},
    {"llama-3-8b", 28672, 4096},    {"llama-3-8b", 4096, 14336},   {"qwen3-14b", 7168, 5120},
    {"qwen3-14b", 5120, 5120},      {"qwen3-14b", 34816, 5120},    {"qwen3-14b", 5120, 17408},
    {"llama-3-70b", 10240, 8192},   {"llama-3-70b", 8192, 8192},   {"llama-3-70b", 57344, 8192},
    {"llama-3-70b", 8192, 28672},   {"llama-3-70b/4", 2560, 8192}, {"llama-3-70b/4", 8192, 2048},
    {"llama-3-70b/4", 14336, 8192}, {"llama-3-70b/4", 8192, 7168},
};

struct Options {
  bench::FamilyOptions family;
  std::vector<std::string> models;  // empty: the sizes below
  std::vector<std::string> bits = {"2", "3", "4", "8", "2+4"};
  std::int64_t out_features = 8192, in_features = 8192;
  bool overlaps = true;
};

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  options.family = bench::parse_options(arguments, [&](const std::string& option, const std::string& value) {
    const auto integer = [&] { return static_cast<std::int64_t>(bench::parse_number(option, value)); };
    if (option == "--bits")
      options.bits = bench::split(value);
    else if (option == "--out-features")
      options.out_features = integer();
    else if (option == "--launches")
      options.overlaps = value == "overlapping";
    else if (option == "--models")
      options.models = bench::split(value);
    else if (option == "--in-features")
      options.in_features = integer();
    else
      return false;
    return true;
  });
  return options;
}

/// Converts "2+4" to a value of the family's label set.
std::int64_t mask_of(const std::string& bits, const Dimension& dimension) {
  std::int64_t mask = 0;
  for (const std::string& width : bench::split(bits, '+')) {
    const auto found = std::find(dimension.labels.begin(), dimension.labels.end(), width);
    if (found == dimension.labels.end())
      throw std::invalid_argument("--bits: \"" + width + "\" is not a known width");
    mask |= std::int64_t{1} << (found - dimension.labels.begin());
  }
  return mask;
}

const cuda::Family& require(const char* name) {
  const cuda::Family* family = cuda::find_family(name);
  if (family == nullptr) throw std::runtime_error("this build has no CUDA");
  return *family;
}

/// The operands of the largest number of tokens, which the problems of the others share.
struct Lenders {
  std::unique_ptr<cuda::Problem> mixed, dense;
};

void measure(const std::string& bits, std::int64_t tokens, const Projection& sizes, bool overlaps,
             Lenders& lenders, bench::Interleaved& interleaved, bench::JsonLines& out) {
  const cuda::Family& mixed = require("mixed_bit_matmul");
  const cuda::Family& dense = require("dense_gemm");
  const auto options = [overlaps](const cuda::Problem* lender) {
    return cuda::ProblemOptions{
        .seed = 1, .rotate_bytes = std::size_t{256} << 20, .operands_of = lender, .overlaps = overlaps};
  };
  const Shape shape = {tokens, sizes.out_features, sizes.in_features, mask_of(bits, mixed.dimensions()[3]),
                       0};
  const Shape dense_shape = {tokens, sizes.out_features, sizes.in_features, 0};
  auto problem = mixed.make_problem(shape, options(lenders.mixed.get()));
  auto dense_problem = dense.make_problem(dense_shape, options(lenders.dense.get()));
  for (std::size_t v = 1; v < mixed.variant_count(); ++v)  // variant 0, the default, is far too slow to time
    if (mixed.runs(v, shape)) interleaved.add(mixed.variant(v).name, mixed, *problem, v);
  for (const std::size_t v : dense.candidates(dense_shape))
    interleaved.add("dense " + dense.variant(v).name, dense, *dense_problem, v);
  const auto us = interleaved.medians();
  out.text("model", sizes.model)
      .text("bits", bits)
      .number("tokens", static_cast<double>(tokens))
      .number("bytes", problem->bytes())
      .number("operations", problem->operations())
      .numbers("shape", shape)
      .microseconds("us", us)
      .end_line();
  std::map<std::string, double> ours, theirs;
  for (const auto& [name, value] : us) (name.starts_with("dense ") ? theirs : ours)[name] = value;
  const auto [name, best_us] = bench::least(ours);
  const double dense_us = bench::least(theirs).second;
  std::printf(
      "%5lld x %5lld  %-4s %5lld  %-22s %8.1f us  %5.2f TB/s  %4.0f TFLOP/s  dense %8.1f us  %5.2f of its "
      "rate\n",
      static_cast<long long>(sizes.out_features), static_cast<long long>(sizes.in_features), bits.c_str(),
      static_cast<long long>(tokens), name.c_str(), best_us, problem->bytes() / best_us * 1e-6,
      problem->operations() / best_us * 1e-6, dense_us, dense_us / best_us);
  std::fflush(stdout);
}

int run(const std::vector<std::string>& arguments) {
  const Options options = parse(arguments);
  bench::JsonLines out(options.family.out);
  cudaStream_t stream = nullptr;
  cuda::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  bench::Interleaved interleaved(options.family.sampling, stream);
  std::vector<Projection> chosen;
  for (const Projection& projection : projections)
    if (std::find(options.models.begin(), options.models.end(), projection.model) != options.models.end() ||
        options.models == std::vector<std::string>{"all"})
      chosen.push_back(projection);
  if (options.models.empty()) chosen = {{"", options.out_features, options.in_features}};
  if (chosen.empty()) throw std::invalid_argument("--models: no such model");
  auto tokens = options.family.tokens;
  std::sort(tokens.rbegin(), tokens.rend());  // the largest lends its operands
  for (const Projection& sizes : chosen)
    for (const std::string& bits : options.bits) {
      Lenders lenders;
      for (const std::int64_t count : tokens)
        measure(bits, count, sizes, options.overlaps, lenders, interleaved, out);
    }
  return interleaved.wrong() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return adaptive::bench::run_main("mixed_bit_bench", argc, argv, run);
}
