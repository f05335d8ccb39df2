// A simulated device: latencies from a formula with seeded noise, failures on request, no clock.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/random.hpp>

#include "tuning/bench/bench.hpp"

namespace adaptive::inline v1::tuning {

struct FakeCandidate {
  std::string name;
  double us = 10.0;  ///< at m = 1; latencies grow with m
  TrialStatus check = TrialStatus::ok;
  std::function<void()> in_round = {};  ///< action of a launch in a round: it may crash, hang or throw
  Parameters parameters = {};
  std::function<bool(const Round&)> fails = {};  ///< whether a launch in a round reports an error
  std::string numeric_class = {};
  std::uint64_t memory = 0;
};

struct FakeDevice {
  std::vector<FakeCandidate> candidates = {
      {"default", 20.0}, {"fast", 10.0}, {"slow", 40.0}, {"close", 10.4}};
  double noise = 0.01;
  std::string name = "Fake Device 1";
  std::string family = "fake";
  std::vector<kernels::Dimension> dimensions = {{"m", kernels::Dimension::Kind::size},
                                                {"n", kernels::Dimension::Kind::size},
                                                {"dtype", kernels::Dimension::Kind::label, {"x", "y"}}};
  bool answers = true;
  /// Called at every open; may throw.
  std::function<void(const kernels::Shape&)> opening = {};
  std::function<bool(const Round&)> throttled = {};
  std::uint64_t seed = 1;
  std::size_t trials = 0;  ///< made so far, checks and samples
  double kernel_us = 0.0;
  std::map<std::string, int> rounds_of = {};  ///< samples by candidate
};

class FakeTarget final : public Target {
 public:
  explicit FakeTarget(FakeDevice& device) : device_(device) {}

  const std::string& name() const override { return device_.family; }
  const std::vector<kernels::Dimension>& dimensions() const override { return device_.dimensions; }
  std::optional<std::string> why_invalid(const kernels::Shape& shape) const override {
    return kernels::why_out_of_range(device_.dimensions, shape);
  }
  std::vector<kernels::Shape> bench_shapes() const override {
    return {{1, 64, 0}, {16, 64, 0}, {64, 64, 0}, {256, 64, 0}, {1024, 64, 1}};
  }
  Fingerprint fingerprint() override {
    if (!device_.answers) throw DeviceError("does not answer");
    return {.device = device_.name};
  }
  std::unique_ptr<Bench> open(const kernels::Shape& shape) override {
    if (device_.opening) device_.opening(shape);
    return std::make_unique<FakeBench>(device_, shape);
  }
  // As real targets, without a problem.
  std::vector<Candidate> candidates(const kernels::Shape& shape) override {
    return FakeBench(device_, shape).candidates();
  }

 private:
  class FakeBench final : public Bench {
   public:
    FakeBench(FakeDevice& device, kernels::Shape shape) : device_(device), shape_(std::move(shape)) {
      for (const FakeCandidate& c : device.candidates)
        candidates_.push_back({c.name, c.parameters, c.numeric_class, c.memory});
    }
    const std::vector<Candidate>& candidates() override { return candidates_; }
    double bytes() override { return 1000.0; }
    double operations() override { return 2000.0; }
    Trial check(std::size_t c) override {
      ++device_.trials;
      const TrialStatus status = device_.candidates[c].check;
      if (status != TrialStatus::ok) return {.status = status, .detail = "as asked for"};
      return sample(c, "check", 0);
    }
    std::vector<Trial> round(const Round& round) override {
      std::vector<Trial> trials;
      for (const std::size_t c : round.order) {
        if (device_.candidates[c].in_round) device_.candidates[c].in_round();
        ++device_.trials;
        ++device_.rounds_of[candidates_[c].name];
        trials.push_back(sample(c, round.phase, round.index));
        if (device_.throttled && device_.throttled(round)) trials.back().status = TrialStatus::throttled;
        if (device_.candidates[c].fails && device_.candidates[c].fails(round))
          trials.back() = {.status = TrialStatus::failed, .detail = "as asked for"};
      }
      return trials;
    }

   private:
    // The result depends only on the trial, not on when the trial is made.
    Trial sample(std::size_t c, std::string_view phase, int index) {
      std::uint64_t seed = device_.seed + c * 977 + static_cast<std::uint64_t>(index) * 7919;
      for (const char letter : phase) seed = seed * 31 + static_cast<unsigned char>(letter);
      for (const std::int64_t value : shape_) seed = seed * 1009 + static_cast<std::uint64_t>(value);
      Random random(seed);
      random();
      // The Irwin-Hall sum is nearly normal.
      double normal = -6.0;
      for (int i = 0; i < 12; ++i) normal += random.uniform();
      const double scale = 1.0 + std::log2(static_cast<double>(shape_[0])) / 4.0;
      const double us = device_.candidates[c].us * scale * std::exp(device_.noise * normal);
      device_.kernel_us += us;
      return {.latency_us = us, .prepare_us = phase == "check" ? 100.0 : 0.0};
    }

    FakeDevice& device_;
    kernels::Shape shape_;
    std::vector<Candidate> candidates_;
  };

  FakeDevice& device_;
};

}  // namespace adaptive::tuning
