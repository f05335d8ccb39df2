// Runs a target in a process of its own. A candidate that crashes, hangs, or leaves the device in a state
// that no call recovers from then affects no other candidate.
//
// The process is made by fork(), which copies the memory of the host but no CUDA context. So the parent must
// not have used the device, and must not hold locks that the target needs: make targets early, or in a
// program with a single thread. The process ends with the target, or with the tuner. Targets may be used in
// different threads, and these may end before their targets, since a process keeps no channel of another one
// open.
//
// If a check or a round of a single candidate ends the process, that candidate has failed. If a round of
// several candidates does, a new process runs them one by one to find out which one it was: errors of a GPU
// arrive late.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tuning/bench/bench.hpp"

namespace adaptive::inline v1::tuning {

struct IsolationOptions {
  /// Time limit for one request (opening a shape, a check, a round). The process is killed if it takes
  /// longer.
  double seconds_max = 120.0;
  /// Memory that the process may map in addition to what it begins with; 0: no limit. Do not use it for GPUs,
  /// which reserve more addresses than there is memory.
  std::size_t memory_max = 0;
};

class IsolatedTarget final : public Target {
 public:
  /// Called in the new process. May throw `DeviceError`.
  using Factory = std::function<std::unique_ptr<Target>()>;

  /// `description` answers requests that need no device: name, dimensions, shapes.
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
  std::vector<Candidate> candidates(const kernels::Shape& shape) override;

 private:
  class Process;
  class RemoteBench;

  std::shared_ptr<const Target> description_;
  std::shared_ptr<Process> process_;
};

}  // namespace adaptive::tuning
