// grouped_gemm_bench --out FILE.jsonl [--layers TEXT[,TEXT…]] [--tokens N[,N…]] [--samples N] [--skew S]
// [--prune F] [--order sorted|gathered]
//
// Times every variant of grouped_gemm over the layers of kernels/grouped_gemm/cuda/shapes.hpp and writes one
// JSON object a shape: the layer, the shape, the rows of each expert (for peers.py, which measures others on
// the same routing) and the microseconds of each variant.
//
// Method: launches of a variant, one after the other, captured as a graph of about a millisecond, so that
// neither the host nor an event stands between two of them; variants take turns in random order, and the
// median of the samples is kept. Weights rotate among copies that exceed the cache. Variants that cannot be
// captured are launched one by one. Each result is compared with the reference first. A variant whose first
// sample takes more than --prune times the best of the shape so far is not sampled again.

#include <cuda_runtime_api.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels/cuda_family.hpp"
#include "kernels/grouped_gemm/cuda/problem.hpp"
#include "kernels/grouped_gemm/cuda/shapes.hpp"

namespace {

using namespace adaptive::kernels;
using cuda::check;

struct Options {
  std::string out;
  std::vector<std::string> layers;
  std::vector<std::int64_t> tokens = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192};
  int samples = 7;
  double skew = 0.5;
  double prune = 4;
  bool gathered = false;
};

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

double number(const std::string& option, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= 0))
    throw std::invalid_argument(option + ": \"" + text + "\" is no number");
  return value;
}

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const std::string& option = arguments[i];
    const std::string& value = arguments[i + 1];
    if (option == "--out") {
      options.out = value;
    } else if (option == "--layers") {
      options.layers = split(value);
    } else if (option == "--tokens") {
      options.tokens.clear();
      for (const std::string& part : split(value))
        options.tokens.push_back(static_cast<std::int64_t>(number(option, part)));
    } else if (option == "--samples") {
      options.samples = std::max(1, static_cast<int>(number(option, value)));
    } else if (option == "--skew") {
      options.skew = number(option, value);
    } else if (option == "--order") {
      options.gathered = value == "gathered";
      if (!options.gathered && value != "sorted") throw std::invalid_argument("--order: sorted or gathered");
    } else if (option == "--prune") {
      options.prune = number(option, value);
    } else {
      throw std::invalid_argument("unknown: " + option);
    }
  }
  if (arguments.size() % 2 != 0) throw std::invalid_argument(arguments.back() + " wants a value");
  if (options.out.empty()) throw std::invalid_argument("--out is missing");
  return options;
}

// Launches of one variant: a graph of them, or their number where they cannot be captured.
class Repeated {
 public:
  Repeated(cuda::Problem& problem, std::size_t variant, cudaStream_t stream)
      : problem_(problem), variant_(variant), stream_(stream) {
    check(cudaEventCreate(&begin_), "event");
    check(cudaEventCreate(&end_), "event");
    once_us_ = time([&] { launch(); });
    count_ = std::clamp(static_cast<int>(1000 / once_us_), 2, 50);
    capture();
  }
  Repeated(const Repeated&) = delete;
  Repeated& operator=(const Repeated&) = delete;
  ~Repeated() {
    if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  double once_us() const { return once_us_; }
  double sample_us() {
    const double us = time([&] {
      if (graph_ != nullptr) {
        check(cudaGraphLaunch(graph_, stream_), "graph");
        return;
      }
      for (int i = 0; i < count_; ++i) launch();
    });
    return us / count_;
  }

 private:
  void launch() {
    if (problem_.launch(variant_, stream_) != LaunchStatus::ok) throw std::runtime_error("a launch failed");
  }
  void capture() {
    if (cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal) != cudaSuccess) return;
    bool launched = true;
    for (int i = 0; i < count_ && launched; ++i)
      launched = problem_.launch(variant_, stream_) == LaunchStatus::ok;
    cudaGraph_t graph = nullptr;
    const bool ended = cudaStreamEndCapture(stream_, &graph) == cudaSuccess && launched;
    if (!ended || cudaGraphInstantiate(&graph_, graph, 0) != cudaSuccess) graph_ = nullptr;
    if (graph != nullptr) cudaGraphDestroy(graph);
    static_cast<void>(cudaGetLastError());
  }
  template <class F>
  double time(const F& f) {
    check(cudaEventRecord(begin_, stream_), "event");
    f();
    check(cudaEventRecord(end_, stream_), "event");
    check(cudaEventSynchronize(end_), "event");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, begin_, end_), "elapsed time");
    return static_cast<double>(ms) * 1e3;
  }

  cuda::Problem& problem_;
  std::size_t variant_;
  cudaStream_t stream_;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  cudaGraphExec_t graph_ = nullptr;
  int count_ = 1;
  double once_us_ = 0;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Median microseconds by name; adds to `wrong`.
std::map<std::string, double> time_variants(const cuda::Family& family, cuda::Problem& problem,
                                            const Options& options, cudaStream_t stream, int& wrong) {
  std::vector<std::pair<std::size_t, std::unique_ptr<Repeated>>> running;
  std::map<std::string, std::vector<double>> samples;
  double best = 1e30;
  for (std::size_t v = 1; v < family.variant_count(); ++v) {  // 0, the default, is far too slow to time
    if (!family.runs(v, problem.shape())) continue;
    problem.poison_output(stream);
    const LaunchStatus status = problem.prepare(v, stream);
    const double error = status == LaunchStatus::ok ? problem.max_error(stream) : -1;
    if (status != LaunchStatus::ok || !(error <= problem.tolerance())) {
      std::fprintf(stderr, "wrong: %s (status %d, error %g, tolerance %g): %s\n",
                   family.variant(v).name.c_str(), static_cast<int>(status), error, problem.tolerance(),
                   problem.description().c_str());
      ++wrong;
      continue;
    }
    auto repeated = std::make_unique<Repeated>(problem, v, stream);
    best = std::min(best, repeated->once_us());
    if (repeated->once_us() > options.prune * best) {
      samples[family.variant(v).name].push_back(repeated->once_us());
      continue;
    }
    running.emplace_back(v, std::move(repeated));
  }
  std::mt19937_64 random(1);
  for (int sample = -1; sample < options.samples; ++sample) {
    std::shuffle(running.begin(), running.end(), random);
    for (auto& [variant, repeated] : running) {
      const double us = repeated->sample_us();
      if (sample >= 0) samples[family.variant(variant).name].push_back(us);
    }
  }
  std::map<std::string, double> result;
  for (auto& [name, values] : samples) result[name] = median(values);
  return result;
}

int run(const Options& options) {
  const cuda::Family* family = cuda::find_family("grouped_gemm");
  if (family == nullptr) throw std::runtime_error("this build has no CUDA");
  std::FILE* out = std::fopen(options.out.c_str(), "w");
  if (out == nullptr) throw std::runtime_error("cannot write " + options.out);
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  int wrong = 0;
  for (const grouped_gemm::Layer& layer : grouped_gemm::layers()) {
    const auto wanted = [&](const std::string& text) {
      return std::string(layer.origin).find(text) != std::string::npos;
    };
    if (!options.layers.empty() && std::none_of(options.layers.begin(), options.layers.end(), wanted))
      continue;
    for (const std::int64_t routed : options.tokens) {
      Shape shape = grouped_gemm::shape_of(layer, routed, options.skew);
      shape.back() = options.gathered ? 1 : 0;
      const auto problem = family->make_problem(shape, {.seed = 1, .rotate_bytes = std::size_t{256} << 20});
      const auto us = time_variants(*family, *problem, options, stream, wrong);
      const auto& rows = dynamic_cast<grouped_gemm::GroupedGemmOnCuda&>(*problem).rows_of();
      std::fprintf(out, "{\"layer\":\"%s\",\"routed\":%lld,\"bytes\":%.0f,\"operations\":%.0f,\"shape\":[",
                   layer.origin, static_cast<long long>(routed), problem->bytes(), problem->operations());
      const char* separator = "";
      for (const std::int64_t value : shape) {
        std::fprintf(out, "%s%lld", separator, static_cast<long long>(value));
        separator = ",";
      }
      std::fprintf(out, "],\"rows\":[");
      separator = "";
      for (const std::int64_t value : rows) {
        std::fprintf(out, "%s%lld", separator, static_cast<long long>(value));
        separator = ",";
      }
      std::fprintf(out, "],\"us\":{");
      separator = "";
      std::pair<std::string, double> best = {"", 1e30};
      for (const auto& [name, value] : us) {
        std::fprintf(out, "%s\"%s\":%.2f", separator, name.c_str(), value);
        separator = ",";
        if (value < best.second) best = {name, value};
      }
      std::fprintf(out, "}}\n");
      std::fflush(out);
      std::printf("%-20s %5lld  %-22s %8.1f us  %5.2f TB/s  %4.0f TFLOP/s\n", layer.origin,
                  static_cast<long long>(routed), best.first.c_str(), best.second,
                  problem->bytes() / best.second * 1e-6, problem->operations() / best.second * 1e-6);
      std::fflush(stdout);
    }
  }
  family->release(stream);
  std::fclose(out);
  return wrong == 0 ? 0 : 1;
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
