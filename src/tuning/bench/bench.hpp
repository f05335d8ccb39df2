// What the tuner measures: one family on one device, whichever those are.
//
//   HostTarget target(*kernels::find_family("grouped_gemm"));
//   std::unique_ptr<Bench> bench = target.open(shape);
//   for (std::size_t c = 0; c < bench->candidates().size(); ++c) bench->check(c);
//   bench->round({.phase = "race", .index = 0, .order = {0, 1, 2}});
//
// Tests put a target of their own in its place; IsolatedTarget puts any other into a process of its own.
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

namespace adaptive::tuning {

struct Candidate {
  std::string name = {};
  Parameters parameters = {};

  friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// One sample of each candidate in `order`.
struct Round {
  std::string_view phase = {};  ///< "warm_up", "race", "confirm": for the log
  int index = 0;                ///< within the phase
  std::vector<std::size_t> order = {};
};

/// The candidates of one shape, ready to be timed. Of one thread.
class Bench {
 public:
  Bench() = default;
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  virtual ~Bench() = default;

  /// All that support the shape: the default first, then the family's best guess first.
  virtual const std::vector<Candidate>& candidates() = 0;

  /// Compulsory memory traffic and floating-point operations of one launch, for people.
  virtual double bytes() { return 0.0; }
  virtual double operations() { return 0.0; }

  /// Makes a candidate ready, launches it once and compares its output with the reference.
  virtual Trial check(std::size_t candidate) = 0;

  /// Trials in the order of `round.order`. A candidate that was not `ok` in check() may not be in it.
  virtual std::vector<Trial> round(const Round& round) = 0;
};

/// A shape cannot be opened: `status` says of which kind the trouble is.
class OpenError : public std::runtime_error {
 public:
  OpenError(TrialStatus status, const std::string& what) : std::runtime_error(what), status_(status) {}
  TrialStatus status() const noexcept { return status_; }

 private:
  TrialStatus status_;
};

/// The device cannot be used any more, or never could.
class DeviceError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One family on one device. Of one thread.
class Target {
 public:
  Target() = default;
  Target(const Target&) = delete;
  Target& operator=(const Target&) = delete;
  virtual ~Target() = default;

  /// Of the operation, which is the family's.
  virtual const std::string& name() const = 0;
  virtual const std::vector<kernels::Dimension>& dimensions() const = 0;
  /// As Family::why_invalid. Does not touch the device.
  virtual std::optional<std::string> why_invalid(const kernels::Shape& shape) const = 0;
  /// Shapes of real layers, where nobody names any. Does not touch the device.
  virtual std::vector<kernels::Shape> bench_shapes() const = 0;

  /// Throws `DeviceError`.
  virtual Fingerprint fingerprint() = 0;

  /// Throws `OpenError`, `DeviceError`.
  virtual std::unique_ptr<Bench> open(const kernels::Shape& shape) = 0;
};

}  // namespace adaptive::tuning
