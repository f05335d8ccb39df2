#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <adaptive/detail/export.hpp>
#include <adaptive/latency.hpp>
#include <adaptive/operation.hpp>
#include <adaptive/variant.hpp>

namespace adaptive::inline v1 {

/// Pairs of variants of two launches that must agree in one parameter. Each pair is chosen by the sum of both
/// latencies.
///
/// Example: the up and the down projection of a layer must share a block size, because the second reads what
/// the first has sorted into blocks. The best variant of each alone may then not fit together. The pairs that
/// fit become the variants of one operation, whose latency is that of both launches:
///
///     adaptive::JointVariants pairs = adaptive::joint_variants(up, down, "block_m");
///     adaptive::Operation& mlp = selector.define({.name = "mlp", …, .variants = pairs.variants});
///
///     adaptive::JointLaunch launch(mlp, mlp.select(key));
///     const auto [first, second] = pairs.parts[launch.variant()];
///     launch.add(time_of(up_kernels[first]));
///     activation();                                    // not part of the cost of the pair
///     launch.add(time_of(down_kernels[second]));       // the sum is recorded
///
/// If nothing lies between the two launches, one `cuda::Timer::launch` or `adaptive::run` around both is
/// enough.
struct JointVariants {
  /// One variant for each pair, named "first+second". It has the parameters of both: the shared one under its
  /// own name, the others as "first.name" and "second.name". A pair supports the keys that both support.
  std::vector<Variant> variants = {};
  /// The index in `first` and the index in `second` of each pair.
  std::vector<std::array<std::uint32_t, 2>> parts = {};
};

/// Makes all pairs that have the same value of `parameter`, in the order of `first`, then of `second`, so
/// that the default is the first variant that has a partner. Throws `Error` if a variant lacks the parameter
/// or no two variants agree. Thread-safe.
[[nodiscard]] ADAPTIVE_EXPORT JointVariants joint_variants(std::span<const Variant> first,
                                                           std::span<const Variant> second,
                                                           std::string_view parameter);

/// One decision whose latency comes in several parts. It records their sum when the last part is added, and
/// nothing if a part is missing. Not thread-safe: one thread uses it at a time. It must not outlive the
/// operation.
class JointLaunch {
 public:
  JointLaunch(Operation& operation, const Decision& decision, std::size_t parts = 2) noexcept
      : operation_(&operation), decision_(decision), missing_(parts) {}

  /// Index of the pair to launch.
  std::uint32_t variant() const noexcept { return decision_.variant(); }
  /// Whether the selector asks for the latency of the parts.
  bool timed() const noexcept { return decision_.timed(); }

  /// Adds the latency of one part. Calls after the last part have no effect.
  void add(Latency part) noexcept {
    if (missing_ == 0) return;
    sum_ += part;
    if (--missing_ == 0) operation_->record(decision_, sum_);
  }

  /// Reports that one of the launches failed: the pair is set aside for the key.
  void fail() noexcept {
    if (missing_ == 0) return;
    missing_ = 0;
    operation_->fail(decision_);
  }

 private:
  Operation* operation_;
  Decision decision_;
  std::size_t missing_;
  Latency sum_{0.0};
};

}  // namespace adaptive
