#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/cuda.hpp>

#include "examples/gpu_serving/cuda_support.hpp"
#include "examples/gpu_serving/operands.hpp"
#include "tuning/cuda_operation.hpp"

// The ways of choosing kernels that are compared. Steps with prompts are launched one by one; decoding steps
// are replays of a graph that is captured when its lengths first come.

namespace gpu_serving {

/// Host time of single calls that should not wait for anything.
struct Calls {
  std::uint64_t stalls = 0;  ///< calls of more than a millisecond
  double longest_s = 0;
  void add(double seconds) {
    longest_s = seconds > longest_s ? seconds : longest_s;
    if (seconds > 1e-3) ++stalls;
  }
};

/// What an adaptive mode has done.
struct Learned {
  std::uint64_t keys = 0, confirmed = 0;
  std::uint64_t launches = 0;  ///< launches and nodes of replays
  std::uint64_t explored = 0, timed = 0, promotions = 0, demotions = 0, failures = 0;
  double lost_exploring_s = 0;  ///< the selectors' own account
  double timing_s = 0;          ///< what timing has added to replays, and estimated for single launches
};

class Mode {
 public:
  explicit Mode(std::string name) : name_(std::move(name)) {}
  Mode(const Mode&) = delete;
  Mode& operator=(const Mode&) = delete;
  virtual ~Mode() = default;

  const std::string& name() const noexcept { return name_; }
  /// Enqueues the launches of a step. Throws std::runtime_error if one fails.
  virtual void run(const Step& step, cudaStream_t stream) = 0;
  /// Called once after the last step.
  virtual void finish() {}
  /// Nothing if the mode learns nothing.
  virtual std::optional<Learned> learned() const { return std::nullopt; }

  double seconds = 0;  ///< in all blocks of steps
  Calls launches;      ///< one by one
  Calls replays;
  std::vector<double> block_seconds = {};

 private:
  std::string name_;
};

/// Always runs the variant that `choose` names.
class FixedMode final : public Mode {
 public:
  using Choose = std::function<std::size_t(std::size_t weight, const Launch& launch)>;
  FixedMode(std::string name, Operands& operands, Choose choose);
  void run(const Step& step, cudaStream_t stream) override;

 private:
  void enqueue(const Step& step, cudaStream_t stream);

  Operands& operands_;
  Choose choose_;
  std::map<Lengths, std::unique_ptr<Graph>> graphs_;
};

/// Selects every launch, and learns from it.
class AdaptiveMode final : public Mode {
 public:
  AdaptiveMode(std::string name, Operands& operands, adaptive::TableSearch tables, adaptive::Mode mode,
               std::uint64_t seed);
  ~AdaptiveMode() override;
  void run(const Step& step, cudaStream_t stream) override;
  void finish() override;

  std::optional<Learned> learned() const override;
  void save(const std::string& path) const { selector_->save(path); }

 private:
  struct Decoding {
    std::unique_ptr<adaptive::cuda::TrackedGraph> tracked;
    std::unique_ptr<Graph> graph;
  };
  const tuning::CudaOperation& operation_of(const kernels::cuda::Family& family) const;
  Decoding capture(const Step& step, cudaStream_t stream);

  Operands& operands_;
  std::unique_ptr<adaptive::Selector> selector_;
  std::map<const kernels::cuda::Family*, std::unique_ptr<tuning::CudaOperation>> operations_;
  std::unique_ptr<adaptive::cuda::Timer> timer_;
  std::map<Lengths, Decoding> decodings_;
  std::uint64_t served_ = 0;  ///< launches and nodes of replays
};

}  // namespace gpu_serving
