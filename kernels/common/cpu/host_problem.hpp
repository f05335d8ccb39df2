#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "kernels/family.hpp"

namespace adaptive::kernels {

/// The common parts of problems of all families on the host. `Data` has the operands and their reference. A
/// launch of a variant that cannot run returns its status without touching the data.
template <class Data>
class HostProblem : public Problem {
 public:
  LaunchStatus launch(std::size_t variant) noexcept final {
    if (variant >= status_.size()) return LaunchStatus::unknown_variant;
    if (status_[variant] == LaunchStatus::ok) run(variant);
    return status_[variant];
  }

  std::string description() const final { return data_.description(); }
  void poison_output() noexcept final { data_.poison_output(); }
  std::span<const std::byte> output() const noexcept final { return data_.output(); }
  double max_error() final { return data_.max_error(); }
  double tolerance() const noexcept final { return data_.tolerance(); }
  double bytes() const noexcept final { return data_.bytes(); }
  double operations() const noexcept final { return data_.operations(); }

 protected:
  HostProblem(const Shape& shape, std::uint64_t seed, const std::vector<Variant>& variants)
      : Problem(shape), data_(shape, seed) {
    for (const Variant& variant : variants)
      status_.push_back(!variant.available()       ? LaunchStatus::unavailable
                        : !variant.supports(shape) ? LaunchStatus::unsupported
                                                   : LaunchStatus::ok);
  }

  auto& operands() const noexcept { return data_.operands(); }
  bool runs(std::size_t variant) const noexcept { return status_[variant] == LaunchStatus::ok; }

 private:
  /// Runs a variant that can run on this machine.
  virtual void run(std::size_t variant) noexcept = 0;

  Data data_;
  std::vector<LaunchStatus> status_;
};

}  // namespace adaptive::kernels
