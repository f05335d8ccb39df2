// grouped_gemm_bench --out FILE.jsonl [--layers TEXT[,TEXT…]] [--tokens N[,N…]] [--samples N] [--skew S]
// [--prune F] [--order sorted|gathered]
//
// Times every variant of grouped_gemm over the layers of kernels/grouped_gemm/cuda/shapes.hpp. Writes one
// JSON object per shape: the layer, the shape, the rows of each expert (peers.py times other libraries on the
// same routing) and the microseconds of each variant. bench/cuda/interleaved describes the method.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/cuda/interleaved/interleaved.hpp"
#include "bench/cuda/interleaved/options.hpp"
#include "bench/cuda/interleaved/output.hpp"
#include "bench/run_main.hpp"
#include "kernels/common/cuda/memory.hpp"
#include "kernels/cuda_family.hpp"
#include "kernels/grouped_gemm/cuda/problem.hpp"
#include "kernels/grouped_gemm/cuda/shapes.hpp"

namespace {

using namespace adaptive::kernels;
namespace bench = adaptive::bench;

struct Options {
  bench::FamilyOptions family;
  std::vector<std::string> layers;
  double skew = 0.5;
  bool gathered = false;
};

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  options.family = bench::parse_options(arguments, [&](const std::string& option, const std::string& value) {
    if (option == "--layers") {
      options.layers = bench::split(value);
    } else if (option == "--skew") {
      options.skew = bench::parse_number(option, value);
    } else if (option == "--order") {
      options.gathered = value == "gathered";
      if (!options.gathered && value != "sorted") throw std::invalid_argument("--order: sorted or gathered");
    } else {
      return false;
    }
    return true;
  });
  return options;
}

void measure(const grouped_gemm::Layer& layer, std::int64_t routed, const Options& options,
             const cuda::Family& family, bench::Interleaved& interleaved, bench::JsonLines& out) {
  Shape shape = grouped_gemm::shape_of(layer, routed, options.skew);
  shape.back() = options.gathered ? 1 : 0;
  const auto problem = family.make_problem(shape, {.seed = 1, .rotate_bytes = std::size_t{256} << 20});
  for (std::size_t v = 1; v < family.variant_count(); ++v)  // variant 0, the default, is far too slow to time
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

int run(const std::vector<std::string>& arguments) {
  const Options options = parse(arguments);
  const cuda::Family* family = cuda::find_family("grouped_gemm");
  if (family == nullptr) throw std::runtime_error("this build has no CUDA");
  bench::JsonLines out(options.family.out);
  cudaStream_t stream = nullptr;
  cuda::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  bench::Interleaved interleaved(options.family.sampling, stream);
  for (const grouped_gemm::Layer& layer : grouped_gemm::layers()) {
    const auto wanted = [&](const std::string& text) {
      return std::string(layer.origin).find(text) != std::string::npos;
    };
    if (!options.layers.empty() && std::none_of(options.layers.begin(), options.layers.end(), wanted))
      continue;
    for (const std::int64_t routed : options.family.tokens)
      measure(layer, routed, options, *family, interleaved, out);
  }
  family->release(stream);
  return interleaved.wrong() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return adaptive::bench::run_main("grouped_gemm_bench", argc, argv, run);
}
