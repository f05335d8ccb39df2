// fused_moe_bench --out FILE.jsonl [--models TEXT[,TEXT…]] [--tokens N[,N…]] [--samples N] [--prune F]
// [--variants candidates|all] [--text TEXT] [--dtype NAME]
//
// Times the variants of fused_moe over the models of kernels/fused_moe/cuda/shapes.hpp, the whole operation
// from the router's choice to the weighted sum. Writes one JSON object per shape: the model, the shape, the
// experts of each token (peers.py times a fused MoE in Triton on the same routing) and the microseconds of
// each variant. bench/cuda/interleaved describes the method. --text keeps the variants whose names contain
// it. --dtype is a label of the dimension dtype; the default is bfloat16.

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
#include "kernels/fused_moe/cuda/problem.hpp"
#include "kernels/fused_moe/cuda/shapes.hpp"

namespace {

using namespace adaptive::kernels;
namespace bench = adaptive::bench;

struct Options {
  bench::FamilyOptions family;
  std::vector<std::string> models;
  std::string text;
  fused_moe::DeviceType type = fused_moe::DeviceType::bfloat16;
  bool all_variants = false;
};

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  options.family = bench::parse_options(arguments, [&](const std::string& option, const std::string& value) {
    if (option == "--models") {
      options.models = bench::split(value);
    } else if (option == "--text") {
      options.text = value;
    } else if (option == "--dtype") {
      const std::vector<std::string> labels = fused_moe::cuda_dimensions().back().labels;
      const auto at = std::find(labels.begin(), labels.end(), value);
      if (at == labels.end()) throw std::invalid_argument("--dtype: no type " + value);
      options.type = static_cast<fused_moe::DeviceType>(at - labels.begin());
    } else if (option == "--variants") {
      options.all_variants = value == "all";
      if (!options.all_variants && value != "candidates")
        throw std::invalid_argument("--variants: candidates or all");
    } else {
      return false;
    }
    return true;
  });
  return options;
}

/// The place of each chosen expert in the weights.
std::vector<std::int64_t> places_of(const fused_moe::Routing& routing) {
  std::vector<std::int64_t> places;
  for (const std::int32_t id : routing.ids)
    places.push_back(routing.expert_map[static_cast<std::size_t>(id)]);
  return places;
}

void measure(const fused_moe::Model& model, std::int64_t tokens, const Options& options,
             const cuda::Family& family, bench::Interleaved& interleaved, bench::JsonLines& out) {
  const Shape shape = fused_moe::shape_of(model, tokens, options.type);
  const auto problem = family.make_problem(shape, {.seed = 1, .rotate_bytes = std::size_t{256} << 20});
  std::vector<std::size_t> variants = family.candidates(shape);
  if (options.all_variants) {
    variants.clear();
    // Variant 0, the default, is far too slow to time.
    for (std::size_t v = 1; v < family.variant_count(); ++v)
      if (family.runs(v, shape)) variants.push_back(v);
  }
  for (const std::size_t v : variants)
    if (family.variant(v).name.find(options.text) != std::string::npos)
      interleaved.add(family.variant(v).name, family, *problem, v);
  const auto us = interleaved.medians();
  const auto places = places_of(dynamic_cast<fused_moe::FusedMoeOnCuda&>(*problem).routing());
  out.text("model", model.name)
      .text("dtype", fused_moe::cuda_dimensions().back().labels[static_cast<std::size_t>(options.type)])
      .number("tokens", static_cast<double>(tokens))
      .number("bytes", problem->bytes())
      .number("operations", problem->operations())
      .numbers("shape", shape)
      .numbers("experts", places)
      .microseconds("us", us)
      .end_line();
  const auto [name, best_us] = bench::least(us);
  std::printf("%-18s %5lld  %-44s %8.1f us  %5.2f TB/s  %4.0f TFLOP/s\n", model.name,
              static_cast<long long>(tokens), name.c_str(), best_us, problem->bytes() / best_us * 1e-6,
              problem->operations() / best_us * 1e-6);
  std::fflush(stdout);
}

int run(const std::vector<std::string>& arguments) {
  const Options options = parse(arguments);
  const cuda::Family* family = cuda::find_family("fused_moe");
  if (family == nullptr) throw std::runtime_error("this build has no CUDA");
  bench::JsonLines out(options.family.out);
  cudaStream_t stream = nullptr;
  cuda::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  bench::Interleaved interleaved(options.family.sampling, stream);
  for (const fused_moe::Model& model : fused_moe::models()) {
    const auto wanted = [&](const std::string& text) {
      return std::string(model.name).find(text) != std::string::npos;
    };
    if (!options.models.empty() && std::none_of(options.models.begin(), options.models.end(), wanted))
      continue;
    for (const std::int64_t tokens : options.family.tokens)
      measure(model, tokens, options, *family, interleaved, out);
  }
  family->release(stream);
  return interleaved.wrong() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return adaptive::bench::run_main("fused_moe_bench", argc, argv, run);
}
