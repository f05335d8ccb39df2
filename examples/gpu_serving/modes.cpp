#include "examples/gpu_serving/modes.hpp"

#include <stdexcept>
#include <utility>

namespace gpu_serving {
namespace {

void require_ok(kernels::LaunchStatus status, const Launch& launch) {
  if (status != kernels::LaunchStatus::ok)
    throw std::runtime_error("a launch failed: " + launch.problem->description());
}

// What a pair of events around a launch costs the stream, about (docs/benchmarks/cuda_launch.md).
constexpr double event_pair_s = 2.9e-6;

}  // namespace

FixedMode::FixedMode(std::string name, Operands& operands, Choose choose)
    : Mode(std::move(name)), operands_(operands), choose_(std::move(choose)) {}

void FixedMode::enqueue(const Step& step, cudaStream_t stream) {
  for_each_launch(operands_, step, [&](std::size_t weight, Launch& launch) {
    const auto begin = Clock::now();
    require_ok(launch.problem->launch(choose_(weight, launch), stream), launch);
    launches.add(seconds_since(begin));
  });
}

void FixedMode::run(const Step& step, cudaStream_t stream) {
  if (!step.decoding) return enqueue(step, stream);
  std::unique_ptr<Graph>& graph = graphs_[step.attention];
  if (graph == nullptr) graph = std::make_unique<Graph>(stream, [&] { enqueue(step, stream); });
  const auto begin = Clock::now();
  check(cudaGraphLaunch(graph->exec(), stream), "replay");
  replays.add(seconds_since(begin));
}

AdaptiveMode::AdaptiveMode(std::string name, Operands& operands, adaptive::TableSearch tables,
                           adaptive::Mode mode, std::uint64_t seed)
    : Mode(std::move(name)), operands_(operands) {
  adaptive::SelectorOptions options{
      .device = adaptive::cuda::device(), .mode = mode, .use_environment = false};
  options.seed = seed;
  options.tables = std::move(tables);
  for (const kernels::cuda::Family* family : kernels::cuda::families())
    options.device = tuning::with_libraries(std::move(options.device), *family);
  selector_ = std::make_unique<adaptive::Selector>(std::move(options));
  for (auto& [weight, launch] : operands.all()) {
    const kernels::cuda::Family* family = operands.weight(weight).family;
    auto& operation = operations_[family];
    // The classes are mixed, because the best in hindsight also takes the fastest whatever its rounding.
    if (operation == nullptr)
      operation = std::make_unique<tuning::CudaOperation>(*selector_, *family, /*mix_numeric_classes=*/true);
  }
  timer_ = std::make_unique<adaptive::cuda::Timer>();
}

AdaptiveMode::~AdaptiveMode() {
  for (auto& [lengths, decoding] : decodings_) decoding.tracked.reset();  // before the graph is gone
}

const tuning::CudaOperation& AdaptiveMode::operation_of(const kernels::cuda::Family& family) const {
  return *operations_.at(&family);
}

AdaptiveMode::Decoding AdaptiveMode::capture(const Step& step, cudaStream_t stream) {
  Decoding decoding{.tracked = std::make_unique<adaptive::cuda::TrackedGraph>(*timer_), .graph = nullptr};
  decoding.graph = std::make_unique<Graph>(stream, [&] {
    for_each_launch(operands_, step, [&](std::size_t weight, Launch& launch) {
      const tuning::CudaOperation& operation = operation_of(*operands_.weight(weight).family);
      check(decoding.tracked->launch(operation.operation(), tuning::key_of(launch.shape), stream,
                                     [&operation, &launch, stream](std::uint32_t variant, cudaStream_t on) {
                                       const kernels::cuda::PreparedFor prepared(stream);
                                       const auto status =
                                           launch.problem->launch(operation.family_variant(variant), on);
                                       return status == kernels::LaunchStatus::ok ? cudaSuccess
                                                                                  : cudaErrorUnknown;
                                     }),
            "a captured launch");
    });
  });
  return decoding;
}

void AdaptiveMode::run(const Step& step, cudaStream_t stream) {
  served_ += static_cast<std::uint64_t>(operands_.model().launches());
  if (step.decoding) {
    auto at = decodings_.find(step.attention);
    if (at == decodings_.end()) at = decodings_.emplace(step.attention, capture(step, stream)).first;
    const auto begin = Clock::now();
    check(at->second.tracked->replay(at->second.graph->exec(), stream), "replay");
    replays.add(seconds_since(begin));
    return;
  }
  for_each_launch(operands_, step, [&](std::size_t weight, Launch& launch) {
    const tuning::CudaOperation& operation = operation_of(*operands_.weight(weight).family);
    const auto begin = Clock::now();
    {
      auto timed = timer_->launch(operation.operation(), tuning::key_of(launch.shape), stream);
      const auto status = launch.problem->launch(operation.family_variant(timed.variant()), stream);
      timed.check(status == kernels::LaunchStatus::ok ? cudaSuccess : cudaErrorUnknown);
      require_ok(status, launch);
    }
    launches.add(seconds_since(begin));
  });
}

void AdaptiveMode::finish() {
  timer_->drain();
  for (auto& [lengths, decoding] : decodings_) decoding.tracked->poll();
}

std::optional<Learned> AdaptiveMode::learned() const {
  Learned all{.launches = served_};
  for (const auto& [family, operation] : operations_) {
    const adaptive::OperationStatus status = operation->operation().status();
    all.keys += status.counters.keys;
    all.confirmed += status.keys_confirmed;
    all.explored += status.counters.explored;
    all.timed += status.counters.timed;
    all.promotions += status.counters.promotions;
    all.demotions += status.counters.demotions;
    all.failures += status.counters.failures;
    all.lost_exploring_s += status.account.lost_exploring_ns * 1e-9;
  }
  all.timing_s = static_cast<double>(timer_->counters().timed) * event_pair_s;
  for (const auto& [lengths, decoding] : decodings_)
    all.timing_s += decoding.tracked->replay_counters().timing_ns * 1e-9;
  return all;
}

}  // namespace gpu_serving
