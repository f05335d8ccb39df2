// The interface to what the tuner measures: one family on one device.
//
//   HostTarget target(*kernels::find_family("grouped_gemm"));
//   std::unique_ptr<Bench> bench = target.open(shape);
//   for (std::size_t c = 0; c < bench->candidates().size(); ++c) bench->check(c);
//   bench->round({.phase = "race", .index = 0, .order = {0, 1, 2}});
//
// Tests use a target of their own. IsolatedTarget runs another target in a process of its own.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/device.hpp>
#include <adaptive/variant.hpp>

#include "kernels/family.hpp"
#include "tuning/trial.hpp"

namespace adaptive::inline v1::tuning {

struct Candidate {
  std::string name = {};
  Parameters parameters = {};
  /// Candidates of one class give the same results bit for bit (`Variant::numeric_class`).
  std::string numeric_class = {};
  std::uint64_t memory = 0;  ///< bytes that it needs for the shape besides the operands

  friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// One sample of each candidate in `order`.
struct Round {
  std::string_view phase = {};  ///< "warm_up", "race" or "confirm", for the log
  int index = 0;                ///< number of the round within the phase
  std::vector<std::size_t> order = {};
};

/// The candidates of one shape, ready to be timed. Not thread-safe.
class Bench {
 public:
  Bench() = default;
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  virtual ~Bench() = default;

  /// All candidates that support the shape: the default, then the others, the family's best guess first.
  virtual const std::vector<Candidate>& candidates() = 0;

  /// Minimum memory traffic in bytes and floating-point operations of one launch, for reports.
  virtual double bytes() { return 0.0; }
  virtual double operations() { return 0.0; }

  /// Makes a candidate ready, launches it once and compares its output with the reference.
  virtual Trial check(std::size_t candidate) = 0;

  /// Trials in the order of `round.order`, which must contain only candidates that were `ok` in check().
  virtual std::vector<Trial> round(const Round& round) = 0;
};

/// A shape cannot be opened; `status` has the kind of failure.
class OpenError : public std::runtime_error {
 public:
  OpenError(TrialStatus status, const std::string& what) : std::runtime_error(what), status_(status) {}
  TrialStatus status() const noexcept { return status_; }

 private:
  TrialStatus status_;
};

/// The device cannot be used, or cannot be used any more.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One family on one device. Not thread-safe.
class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;

  /// The name of the operation, which is that of the family.
  virtual const std::string& name() const = 0;
  virtual const std::vector<kernels::Dimension>& dimensions() const = 0;
  /// The same as Family::why_invalid. Does not use the device.
  virtual std::optional<std::string> why_invalid(const kernels::Shape& shape) const = 0;
  /// Shapes of real layers, for requests without shapes. Does not use the device.
  virtual std::vector<kernels::Shape> bench_shapes() const = 0;

  /// Throws `DeviceError`.
  virtual Fingerprint fingerprint() = 0;

  /// Throws `OpenError`, `DeviceError`.
  virtual std::unique_ptr<Bench> open(const kernels::Shape& shape) = 0;

  /// What `open(shape)->candidates()` would be. Targets that know it without making a problem override this.
  /// Throws `OpenError`, `DeviceError`.
  virtual std::vector<Candidate> candidates(const kernels::Shape& shape) { return open(shape)->candidates(); }
};

}  // namespace adaptive::tuning
