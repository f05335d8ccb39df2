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

/// Two launches that have to agree in a parameter, chosen together by the sum of what they cost.
///
/// Where the up and the down projection of a layer must share a block size, because the second reads what the
/// first has sorted into blocks, the best of each alone may not fit together. The pairs that do are the
/// variants of one operation, whose latency is that of both launches:
///
///     adaptive::JointVariants pairs = adaptive::joint_variants(up, down, "block_m");
///     adaptive::Operation& mlp = selector.define({.name = "mlp", …, .variants = pairs.variants});
///
///     adaptive::JointLaunch launch(mlp, mlp.select(key));
///     const auto [first, second] = pairs.parts[launch.variant()];
///     launch.add(time_of(up_kernels[first]));
///     activation();                                    // not the pair's cost
///     launch.add(time_of(down_kernels[second]));       // the sum is recorded
///
/// Where nothing lies between the two, one `cuda::Timer::launch` or `adaptive::run` around both does as well.
struct JointVariants {
  /// Named "first+second"; parameters are those of both, the shared one as it is, the others as "first.name"
  /// and "second.name". A pair supports a key that both support.
  std::vector<Variant> variants = {};
  /// For each of them the index in `first` and in `second`.
  std::vector<std::array<std::uint32_t, 2>> parts = {};
};

/// All pairs that have the same value of `parameter`, in the order of `first`, then of `second`: the default
/// is the first variant that has a partner. Throws `Error` where a variant lacks the parameter, or no two
/// agree.
[[nodiscard]] ADAPTIVE_EXPORT JointVariants joint_variants(std::span<const Variant> first,
                                                           std::span<const Variant> second,
                                                           std::string_view parameter);

/// One decision whose latency comes in parts. Records their sum when the last is added, and nothing where one
/// is missing. One thread at a time; a handful of words, to be kept until the parts are known.
class JointLaunch {
 public:
  JointLaunch(Operation& operation, const Decision& decision, std::size_t parts = 2) noexcept
      : operation_(&operation), decision_(decision), missing_(parts) {}

  std::uint32_t variant() const noexcept { return decision_.variant(); }
  /// Whether the parts are to be timed.
  bool timed() const noexcept { return decision_.timed(); }

  /// More parts than there are change nothing.
  void add(Latency part) noexcept {
    if (missing_ == 0) return;
    sum_ += part;
    if (--missing_ == 0) operation_->record(decision_, sum_);
  }

  /// One of the launches failed: the pair is set aside for the key.
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
