// A target in a process of its own: a candidate that crashes, hangs, or leaves the device in a state that no
// call recovers from, costs itself only.
//
// The process is made by fork(), so this one must not have touched the device before (the host's memory is
// copied, a CUDA context is not), and must not hold locks that the target needs: make it early, or in a
// program with one thread. The process ends with the target, or with the tuner. Targets may be used in
// different threads, which may end before their targets: a process keeps no channel of another one open.
//
// Where a check or a round of one candidate ends the process, that candidate is to blame. Where a round of
// several does, a new process runs them one by one to find which: errors of a GPU come late.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuning/bench/bench.hpp"

namespace adaptive::tuning {

struct IsolationOptions {
  /// For one request (opening a shape, a check, a round); beyond it the process is killed.
  double seconds_max = 120.0;
  /// What the process may map besides what it begins with; 0 for no limit. Not for GPUs, which reserve more
  /// addresses than there is memory.
  std::size_t memory_max = 0;
};

class IsolatedTarget final : public Target {
 public:
  /// Called in the new process. May throw `DeviceError`.
  using Factory = std::function<std::unique_ptr<Target>()>;

  /// `description` answers what needs no device: name, dimensions, shapes.
  IsolatedTarget(std::shared_ptr<const Target> description, Factory factory, IsolationOptions options = {});
  ~IsolatedTarget() override;

  const std::string& name() const override { return description_->name(); }
  const std::vector<kernels::Dimension>& dimensions() const override { return description_->dimensions(); }
  std::optional<std::string> why_invalid(const kernels::Shape& shape) const override {
    return description_->why_invalid(shape);
  }
  std::vector<kernels::Shape> bench_shapes() const override { return description_->bench_shapes(); }
  Fingerprint fingerprint() override;
  std::unique_ptr<Bench> open(const kernels::Shape& shape) override;

 private:
  class Process;
  class RemoteBench;

  std::shared_ptr<const Target> description_;
  std::shared_ptr<Process> process_;
};

}  // namespace adaptive::tuning
