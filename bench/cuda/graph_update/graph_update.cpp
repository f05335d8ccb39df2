// bench_graph_update [--json] [--trials N]
//
// Measures the cost of updating a graph of 100 launches when 1, 10 or 100 of them have a new incumbent,
// either by TrackedGraph::update or by capturing and instantiating the whole graph again, and the cost of the
// launches that follow. The device must load each function before it first runs it; therefore each way is
// measured with functions that have run before and with functions that have not.
//
// Method: the stream is idle before each trial. `change` is the host time until the executable graph is
// ready; `upload`, where requested, the time until cudaGraphUpload has completed; `first` and `second` the
// times from the call of cudaGraphLaunch until the stream is idle again; `call` the host time within the
// first call. The first trial of each row is shown separately from the median and the maximum of all trials.
// `node` is a single cudaGraphExecKernelNodeSetParams without this library.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/cuda.hpp>
#include "bench/cuda/graph_update/kernels.hpp"

namespace {

using Clock = std::chrono::steady_clock;
using adaptive::cuda::GraphUpdate;

constexpr int launches = 100;

void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "%s: %s\n", what, cudaGetErrorString(status));
  std::exit(1);
}

double us_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

struct Series {
  std::vector<double> us;
  double first() const { return us.empty() ? 0 : us.front(); }
  double max() const { return us.empty() ? 0 : *std::max_element(us.begin(), us.end()); }
  double median() const {
    if (us.empty()) return 0;
    std::vector<double> sorted = us;
    std::sort(sorted.begin(), sorted.end());
    const std::size_t middle = sorted.size() / 2;
    return sorted.size() % 2 != 0 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
};

enum class Way { node, update, recapture };
enum class Functions {
  used,    ///< have run before
  fresh,   ///< have never run
  module,  ///< neither they nor any other function of their module have run
  stack,   ///< neither they nor any other function that needs as much local memory have run
};

struct Row {
  Way way;
  int stale;
  Functions functions;
  bool upload = false;
  bool asked = false;  ///< whether cudaFuncGetAttributes was called first
  Series change = {}, uploaded = {}, call = {}, first = {}, second = {};
};

const char* name_of(Way way) {
  constexpr const char* names[] = {"node", "update", "recapture"};
  return names[static_cast<int>(way)];
}

const char* name_of(Functions functions) {
  constexpr const char* names[] = {"used", "fresh", "module", "stack"};
  return names[static_cast<int>(functions)];
}

/// A captured graph of 100 launches: `stale` launches belong to one operation, the others to another.
class Subject {
 public:
  Subject(adaptive::Selector& selector, cudaStream_t stream, float* data, int stale)
      : stream_(stream), data_(data), stale_(stale) {
    adaptive::OperationSpec spec;
    spec.dimensions = {{"launch"}};
    for (std::uint32_t f = 0; f < bench::functions_max; ++f)
      spec.variants.push_back({.name = std::to_string(f)});
    spec.name = "moving" + std::to_string(stale);
    moving_ = &selector.define(spec);
    spec.name = "steady" + std::to_string(stale);
    steady_ = &selector.define(spec);
    capture();
  }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  ~Subject() { drop(std::exchange(exec_, nullptr), std::exchange(graph_, nullptr)); }

  void want(std::uint32_t function) {
    forced_.reset();
    forced_.emplace(moving_->force(std::to_string(function)));
  }

  void capture() {
    tracked_.clear();
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "begin");
    for (int i = 0; i < launches; ++i)
      check(tracked_.launch(i < stale_ ? *moving_ : *steady_, {i}, stream_,
                            [data = data_](std::uint32_t variant, cudaStream_t s) {
                              return bench::launch(variant, data, s);
                            }),
            "launch");
    check(cudaStreamEndCapture(stream_, &graph_), "end");
    check(cudaGraphInstantiate(&exec_, graph_, 0), "instantiate");
  }

  void recapture() {
    // The old graph is destroyed later, since a program would not wait for that either.
    old_exec_ = exec_;
    old_graph_ = graph_;
    capture();
  }

  void update() {
    if (tracked_.update(exec_) != GraphUpdate::updated) {
      std::fprintf(stderr, "the update was refused\n");
      std::exit(1);
    }
  }

  /// Sets the node of the first launch without the library.
  void set_node(std::uint32_t function) {
    std::size_t count = 1;
    cudaGraphNode_t node = nullptr;
    check(cudaGraphGetRootNodes(graph_, &node, &count), "root");
    cudaKernelNodeParams params{};
    void* arguments[] = {&data_};
    params.func = const_cast<void*>(bench::address(function));
    params.gridDim = bench::grid(function);
    params.blockDim = bench::block(function);
    params.kernelParams = arguments;
    check(cudaGraphExecKernelNodeSetParams(exec_, node, &params), "set");
  }

  void drop_old() { drop(std::exchange(old_exec_, nullptr), std::exchange(old_graph_, nullptr)); }
  cudaGraphExec_t exec() const { return exec_; }

 private:
  static void drop(cudaGraphExec_t exec, cudaGraph_t graph) {
    if (exec != nullptr) cudaGraphExecDestroy(exec);
    if (graph != nullptr) cudaGraphDestroy(graph);
  }

  cudaStream_t stream_;
  float* data_;
  int stale_;
  adaptive::Operation* moving_ = nullptr;
  adaptive::Operation* steady_ = nullptr;
  std::optional<adaptive::Forced> forced_;
  adaptive::cuda::TrackedGraph tracked_;
  cudaGraph_t graph_ = nullptr, old_graph_ = nullptr;
  cudaGraphExec_t exec_ = nullptr, old_exec_ = nullptr;
};

void measure(Subject& subject, cudaStream_t stream, Row& row, std::uint32_t function) {
  if (row.asked) {
    cudaFuncAttributes attributes{};
    check(cudaFuncGetAttributes(&attributes, bench::address(function)), "attributes");
  }
  if (row.way != Way::node) subject.want(function);
  check(cudaStreamSynchronize(stream), "idle");

  auto begin = Clock::now();
  switch (row.way) {
    case Way::node:
      subject.set_node(function);
      break;
    case Way::update:
      subject.update();
      break;
    case Way::recapture:
      subject.recapture();
      break;
  }
  row.change.us.push_back(us_since(begin));
  if (row.upload) {
    begin = Clock::now();
    check(cudaGraphUpload(subject.exec(), stream), "upload");
    check(cudaStreamSynchronize(stream), "upload");
    row.uploaded.us.push_back(us_since(begin));
  }
  begin = Clock::now();
  check(cudaGraphLaunch(subject.exec(), stream), "replay");
  row.call.us.push_back(us_since(begin));
  check(cudaStreamSynchronize(stream), "replay");
  row.first.us.push_back(us_since(begin));
  begin = Clock::now();
  check(cudaGraphLaunch(subject.exec(), stream), "replay");
  check(cudaStreamSynchronize(stream), "replay");
  row.second.us.push_back(us_since(begin));
  subject.drop_old();
}

/// Microseconds per replay, launched back to back.
double replay_us(const Subject& subject, cudaStream_t stream) {
  constexpr int replays = 500;
  std::vector<double> rounds;
  for (int round = 0; round < 5; ++round) {
    check(cudaStreamSynchronize(stream), "idle");
    const auto begin = Clock::now();
    for (int i = 0; i < replays; ++i) check(cudaGraphLaunch(subject.exec(), stream), "replay");
    check(cudaStreamSynchronize(stream), "replay");
    rounds.push_back(us_since(begin) / replays);
  }
  return Series{rounds}.median();
}

void print_table(const std::vector<Row>& rows) {
  std::printf("%-10s %6s %-6s %-7s | %26s | %26s | %18s | %26s | %8s\n", "", "", "", "",
              "change us first/median/max", "upload us first/median/max", "call us first/med.",
              "first us first/median/max", "second");
  for (const Row& row : rows) {
    const auto three = [](const Series& s) {
      char text[64];
      std::snprintf(text, sizeof text, "%8.1f %8.1f %8.1f", s.first(), s.median(), s.max());
      return std::string(s.us.empty() ? "" : text);
    };
    std::printf("%-10s %6d %-6s %-7s | %26s | %26s | %9.1f %8.1f | %26s | %8.1f\n", name_of(row.way),
                row.stale, name_of(row.functions),
                row.upload  ? "upload"
                : row.asked ? "asked"
                            : "",
                three(row.change).c_str(), three(row.uploaded).c_str(), row.call.first(), row.call.median(),
                three(row.first).c_str(), row.second.median());
  }
}

void print_json(const std::vector<Row>& rows) {
  const auto series = [](const char* name, const Series& s) {
    std::printf(", \"%s_us\": {\"first\": %.2f, \"median\": %.2f, \"max\": %.2f}", name, s.first(),
                s.median(), s.max());
  };
  std::printf("  \"rows\": [\n");
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Row& row = rows[i];
    std::printf(
        "    {\"way\": \"%s\", \"stale\": %d, \"functions\": \"%s\", \"upload\": %s, \"asked\": %s, "
        "\"trials\": %zu",
        name_of(row.way), row.stale, name_of(row.functions), row.upload ? "true" : "false",
        row.asked ? "true" : "false", row.change.us.size());
    series("change", row.change);
    if (row.upload) series("upload", row.uploaded);
    series("launch_call", row.call);
    series("first_launch", row.first);
    series("second_launch", row.second);
    std::printf("}%s\n", i + 1 < rows.size() ? "," : "");
  }
  std::printf("  ]\n}\n");
}

}  // namespace

int main(int argc, char** argv) {
  bool json = false;
  int trials = 15;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--json") == 0)
      json = true;
    else if (std::strcmp(argv[i], "--trials") == 0 && i + 1 < argc)
      trials = std::max(1, std::atoi(argv[++i]));
    else {
      std::fprintf(stderr, "usage: bench_graph_update [--json] [--trials N]\n");
      return 2;
    }
  }
  if (adaptive::cuda::device_count() == 0) {
    std::printf("this machine has no GPU; nothing is measured\n");
    return 0;
  }

  cudaStream_t stream = nullptr;
  float* data = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  check(cudaMalloc(&data, 4096 * sizeof(float)), "memory");
  check(cudaMemset(data, 0, 4096 * sizeof(float)), "memory");
  adaptive::Selector selector({.use_environment = false});
  constexpr int fresh_trials = 3;
  std::uint32_t next_fresh = 2;  // the functions 0 and 1 are the used ones
  std::uint32_t next_module = bench::modules_begin, next_stack = bench::stacks_begin;

  std::vector<Row> rows;
  const auto add = [&](Subject& subject, Row row) {
    const auto with = [&](std::uint32_t function) { measure(subject, stream, row, function); };
    switch (row.functions) {
      case Functions::used:
        for (int trial = 0; trial < 2 * trials; ++trial) with(static_cast<std::uint32_t>(1 - trial % 2));
        break;
      case Functions::fresh:
        for (int trial = 0; trial < fresh_trials; ++trial) with(next_fresh++);
        break;
      case Functions::module:
        with(next_module++);
        break;
      case Functions::stack:
        with(next_stack++);
        break;
    }
    rows.push_back(std::move(row));
  };
  double before_us = 0, updated_us = 0, recaptured_us = 0;
  for (const int stale : {1, 10, launches}) {
    for (const std::uint32_t function : {0U, 1U}) check(bench::launch(function, data, stream), "warm-up");
    Subject subject(selector, stream, data, stale);
    for (int i = 0; i < 3; ++i) check(cudaGraphLaunch(subject.exec(), stream), "warm-up");
    if (stale == launches) before_us = replay_us(subject, stream);
    for (const Way way : {Way::update, Way::recapture})
      for (const bool upload : {false, true})
        add(subject, {.way = way, .stale = stale, .functions = Functions::used, .upload = upload});
    if (stale == launches) {
      subject.want(1);
      subject.update();
      updated_us = replay_us(subject, stream);
      subject.recapture();
      recaptured_us = replay_us(subject, stream);
      subject.drop_old();
    }
    for (const bool asked : {false, true})
      add(subject, {.way = Way::update, .stale = stale, .functions = Functions::fresh, .asked = asked});
    add(subject, {.way = Way::recapture, .stale = stale, .functions = Functions::fresh});
    if (stale != 1) continue;
    for (const Functions functions : {Functions::module, Functions::stack}) {
      for (const bool asked : {false, true})
        add(subject, {.way = Way::update, .stale = stale, .functions = functions, .asked = asked});
      add(subject, {.way = Way::recapture, .stale = stale, .functions = functions});
    }
    // Must come last: afterwards the graph differs from what the library believes it to be.
    for (const bool asked : {false, true})
      add(subject, {.way = Way::node, .stale = stale, .functions = Functions::fresh, .asked = asked});
    add(subject, {.way = Way::node, .stale = stale, .functions = Functions::module});
    add(subject, {.way = Way::node, .stale = stale, .functions = Functions::stack});
    add(subject, {.way = Way::node, .stale = stale, .functions = Functions::used});
  }

  const adaptive::Fingerprint device = adaptive::cuda::device();
  const char* loading = std::getenv("CUDA_MODULE_LOADING");
  if (json) {
    std::printf(
        "{\n  \"device\": \"%s\", \"driver\": \"%s\", \"toolkit\": \"%s\", \"module_loading\": \"%s\",\n",
        device.device.c_str(), device.driver.c_str(), device.toolkit.c_str(),
        loading == nullptr ? "" : loading);
    std::printf(
        "  \"launches\": %d, \"replay_us\": {\"captured\": %.2f, \"updated\": %.2f, \"recaptured\": "
        "%.2f},\n",
        launches, before_us, updated_us, recaptured_us);
    print_json(rows);
  } else {
    std::printf("%s, driver %s, CUDA %s, CUDA_MODULE_LOADING=%s: a graph of %d launches\n",
                device.device.c_str(), device.driver.c_str(), device.toolkit.c_str(),
                loading == nullptr ? "" : loading, launches);
    print_table(rows);
    std::printf("replay, back to back: %.1f us captured, %.1f us updated, %.1f us captured again\n",
                before_us, updated_us, recaptured_us);
  }
  check(cudaGetLastError(), "in the end");
  cudaFree(data);
  cudaStreamDestroy(stream);
}
