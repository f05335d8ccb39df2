// quantized_matmul_bench --out FILE.jsonl [--kinds DTYPE/SCALES[,…]] [--layers TEXT[,…]]
// [--activations bfloat16|quantised] [--launches overlapping|apart] [--tokens N[,N…]] [--samples N]
// [--prune F]
//
// Times every candidate of quantized_matmul for projections of real models and, in the same turns, a kernel
// that only reads as many bytes as a launch must move ("read"), also with launches that overlap as those of
// the products do ("read_overlapping"). Layers are chosen by parts of their names.
// Writes one JSON object per shape, for peers.py and report.py. bench/cuda/interleaved describes the method.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/cuda/interleaved/interleaved.hpp"
#include "bench/cuda/interleaved/options.hpp"
#include "bench/cuda/interleaved/output.hpp"
#include "bench/cuda/quantized_matmul/read.hpp"
#include "bench/run_main.hpp"
#include "kernels/common/cuda/memory.hpp"
#include "kernels/common/cuda/output.hpp"
#include "kernels/cuda_family.hpp"
#include "kernels/quantized_matmul/cuda/shapes.hpp"

namespace {

using namespace adaptive::kernels;
namespace bench = adaptive::bench;

constexpr std::size_t rotated_bytes = std::size_t{256} << 20;

struct Options {
  bench::FamilyOptions family;
  std::vector<std::string> kinds = {"int8_w8a8/channel", "int8_w8a8/block128", "int8_w8a16/channel",
                                    "fp8_w8a8/channel",  "fp8_w8a8/tensor",    "fp8_w8a8/block128"};
  std::vector<std::string> layers = {""};
  bool quantised = true;
  bool overlaps = true;
};

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  options.family = bench::parse_options(arguments, [&](const std::string& option, const std::string& value) {
    if (option == "--kinds")
      options.kinds = bench::split(value);
    else if (option == "--layers")
      options.layers = bench::split(value);
    else if (option == "--activations")
      options.quantised = value == "quantised";
    else if (option == "--launches")
      options.overlaps = value == "overlapping";
    else
      return false;
    return true;
  });
  return options;
}

std::int64_t label_of(const Dimension& dimension, const std::string& label) {
  const auto found = std::find(dimension.labels.begin(), dimension.labels.end(), label);
  if (found == dimension.labels.end())
    throw std::invalid_argument("--kinds: no " + dimension.name + " " + label);
  return found - dimension.labels.begin();
}

/// Copies of some bytes that are read in turn, as launches use copies of the weights.
class ReadOnly {
 public:
  ReadOnly(double bytes, cudaStream_t stream)
      : bytes_(static_cast<std::size_t>(bytes) / 16 * 16),
        stride_(cuda::copy_stride(bytes_)),
        copies_(cuda::copies_in_turn(rotated_bytes, bytes_, stride_)),
        memory_(stride_ * copies_),
        to_(1),
        stream_(stream) {
    cuda::check(cudaMemsetAsync(memory_.data(), 1, memory_.size(), stream), "memory to read");
  }
  bool launch(bool overlaps) {
    turn_ = (turn_ + 1) % copies_;
    return bench::launch_read(memory_.data() + turn_ * stride_, bytes_, to_.data(), overlaps, stream_) ==
           cudaSuccess;
  }

 private:
  std::size_t bytes_, stride_, copies_, turn_ = 0;
  cuda::DeviceBuffer<std::byte> memory_;
  cuda::DeviceBuffer<unsigned> to_;
  cudaStream_t stream_;
};

bool can_overlap() {
  int device = 0, major = 0;
  cuda::check(cudaGetDevice(&device), "device");
  cuda::check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "device");
  return major >= 9;
}

void measure(const std::string& kind, const quantized_matmul::Layer& layer, std::int64_t tokens,
             const Options& options, bench::Interleaved& interleaved, cudaStream_t stream,
             bench::JsonLines& out) {
  const cuda::Family* family = cuda::find_family("quantized_matmul");
  if (family == nullptr) throw std::runtime_error("this build has no CUDA");
  const std::vector<std::string> parts = bench::split(kind, '/');
  if (parts.size() != 2) throw std::invalid_argument("--kinds: \"" + kind + "\" is not DTYPE/SCALES");
  const Shape shape = {tokens,
                       layer.out_features,
                       layer.in_features,
                       label_of(family->dimensions()[3], parts[0]),
                       label_of(family->dimensions()[4], parts[1]),
                       options.quantised && parts[0] != "int8_w8a16" ? 1 : 0};
  const auto problem =
      family->make_problem(shape, {.seed = 1, .rotate_bytes = rotated_bytes, .overlaps = options.overlaps});
  ReadOnly read(problem->bytes(), stream);
  for (const std::size_t v : family->candidates(shape))
    interleaved.add(family->variant(v).name, *family, *problem, v);
  interleaved.add("read", [&read] { return read.launch(false); });
  if (can_overlap()) interleaved.add("read_overlapping", [&read] { return read.launch(true); });
  const auto us = interleaved.medians();
  out.text("layer", layer.origin)
      .text("kind", kind)
      .number("tokens", static_cast<double>(tokens))
      .number("bytes", problem->bytes())
      .number("operations", problem->operations())
      .numbers("shape", shape)
      .microseconds("us", us)
      .end_line();
  std::map<std::string, double> own = us;
  own.erase("read");
  own.erase("read_overlapping");
  const auto [name, best_us] = bench::least(own);
  std::printf("%-20s %-18s %5lld  %-34s %8.1f us  %5.2f TB/s  %5.0f Top/s  %4.2f of the rate of reading\n",
              layer.origin, kind.c_str(), static_cast<long long>(tokens), name.c_str(), best_us,
              problem->bytes() / best_us * 1e-6, problem->operations() / best_us * 1e-6,
              us.at("read") / best_us);
  std::fflush(stdout);
}

int run(const std::vector<std::string>& arguments) {
  const Options options = parse(arguments);
  bench::JsonLines out(options.family.out);
  cudaStream_t stream = nullptr;
  cuda::check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  bench::Interleaved interleaved(options.family.sampling, stream);
  for (const std::string& kind : options.kinds)
    for (const quantized_matmul::Layer& layer : quantized_matmul::layers()) {
      const std::string name = layer.origin;
      const bool chosen =
          std::any_of(options.layers.begin(), options.layers.end(),
                      [&](const std::string& part) { return name.find(part) != std::string::npos; });
      if (!chosen) continue;
      for (const std::int64_t tokens : options.family.tokens)
        measure(kind, layer, tokens, options, interleaved, stream, out);
    }
  return interleaved.wrong() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return adaptive::bench::run_main("quantized_matmul_bench", argc, argv, run);
}
