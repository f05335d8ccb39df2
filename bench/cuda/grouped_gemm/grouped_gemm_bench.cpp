// grouped_gemm_bench --out FILE.jsonl [--layers TEXT[,TEXT…]] [--tokens N[,N…]] [--samples N] [--skew S]
// [--prune F] [--order sorted|gathered]
//
// Times every variant of grouped_gemm over the layers of kernels/grouped_gemm/cuda/shapes.hpp and writes one
// JSON object a shape: the layer, the shape, the rows of each expert (for peers.py, which measures others on
// the same routing) and the microseconds of each variant. bench/cuda/interleaved says how.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/cuda/interleaved/interleaved.hpp"
#include "bench/cuda/interleaved/output.hpp"
#include "kernels/common/cuda_memory.hpp"
#include "kernels/cuda_family.hpp"
#include "kernels/grouped_gemm/cuda/problem.hpp"
#include "kernels/grouped_gemm/cuda/shapes.hpp"

namespace {

using namespace adaptive::kernels;
namespace bench = adaptive::bench;

struct Options {
  std::string out;
  std::vector<std::string> layers;
  std::vector<std::int64_t> tokens = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192};
  double skew = 0.5;
  bench::Interleaved::Options sampling;
  bool gathered = false;
};

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const std::string& option = arguments[i];
    const std::string& value = arguments[i + 1];
    if (option == "--out") {
      options.out = value;
    } else if (option == "--layers") {
      options.layers = bench::split(value);
    } else if (option == "--tokens") {
      options.tokens.clear();
      for (const std::string& part : bench::split(value))
        options.tokens.push_back(static_cast<std::int64_t>(bench::parse_number(option, part)));
    } else if (option == "--samples") {
      options.sampling.samples = std::max(1, static_cast<int>(bench::parse_number(option, value)));
    } else if (option == "--skew") {
      options.skew = bench::parse_number(option, value);
    } else if (option == "--order") {
      options.gathered = value == "gathered";
      if (!options.gathered && value != "sorted") throw std::invalid_argument("--order: sorted or gathered");
    } else if (option == "--prune") {
      options.sampling.prune = bench::parse_number(option, value);
    } else {
      throw std::invalid_argument("unknown: " + option);
    }
  }
  if (arguments.size() % 2 != 0) throw std::invalid_argument(arguments.back() + " wants a value");
  if (options.out.empty()) throw std::invalid_argument("--out is missing");
  return options;
}

void measure(const grouped_gemm::Layer& layer, std::int64_t routed, const Options& options,
             const cuda::Family& family, bench::Interleaved& interleaved, bench::JsonLines& out) {
  Shape shape = grouped_gemm::shape_of(layer, routed, options.skew);
  shape.back() = options.gathered ? 1 : 0;
  const auto problem = family.make_problem(shape, {.seed = 1, .rotate_bytes = std::size_t{256} << 20});
  for (std::size_t v = 1; v < family.variant_count(); ++v)  // 0, the default, is far too slow to time
    if (family.runs(v, shape)) interleaved.add(family.variant(v).name, family, *problem, v);
  const auto us = interleaved.medians();
  const auto& rows = dynamic_cast<grouped_gemm::GroupedGemmOnCuda&>(*problem).rows_of();
  out.text("layer", layer.origin)
      .number("routed", static_cast<double>(routed))
      .number("bytes", problem->bytes())
      .number("operations", problem->operations())
      .numbers("shape", shape)
      .numbers("rows", rows)
      .microseconds("us", us)
      .end_line();
  const auto [name, best_us] = bench::least(us);
  std::printf("%-20s %5lld  %-22s %8.1f us  %5.2f TB/s  %4.0f TFLOP/s\n", layer.origin,
              static_cast<long long>(routed), name.c_str(), best_us, problem->bytes() / best_us * 1e-6,
              problem->operations() / best_us * 1e-6);
  std::fflush(stdout);
}

int run(const Options& options) {
  const cuda::Family* family = cuda::find_family("grouped_gemm");
  if (family == nullptr) throw std::runtime_error("this build has no CUDA");
  bench::JsonLines out(options.out);
  cudaStream_t stream = nullptr;
  cuda::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  bench::Interleaved interleaved(options.sampling, stream);
  for (const grouped_gemm::Layer& layer : grouped_gemm::layers()) {
    const auto wanted = [&](const std::string& text) {
      return std::string(layer.origin).find(text) != std::string::npos;
    };
    if (!options.layers.empty() && std::none_of(options.layers.begin(), options.layers.end(), wanted))
      continue;
    for (const std::int64_t routed : options.tokens)
      measure(layer, routed, options, *family, interleaved, out);
  }
  family->release(stream);
  return interleaved.wrong() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse({argv + 1, argv + argc}));
  } catch (const std::invalid_argument& e) {
    std::fprintf(stderr, "grouped_gemm_bench: %s\n", e.what());
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "grouped_gemm_bench: %s\n", e.what());
    return 1;
  }
}
