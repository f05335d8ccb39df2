// Recorded latencies as an environment.
#pragma once

#include <cstddef>
#include <string>

#include <adaptive/random.hpp>

#include "replay/environments/environment.hpp"
#include "table/trace.hpp"

namespace adaptive::inline v1::replay {

/// Draws calls from recorded latencies. All variants of a call come from the same round, so that what slowed
/// one down in the recording slows down whatever runs. Rounds that not all variants have are left out.
class Recorded final : public Environment {
 public:
  enum class Order {
    random,   ///< rounds drawn independently: loses bursts and drift
    recorded  ///< rounds in their order from a random one on, repeated from the beginning at the end
  };

  /// By what variants are judged. Launches are drawn from all samples in either case.
  enum class Truth {
    mean,    ///< the mean of a variant's samples
    trimmed  ///< without the slowest tenth of them: for traces recorded beside something that disturbed
  };

  /// `key` must outlive it.
  Recorded(const table::TraceKey& key, Order order, Truth truth = Truth::mean);

  void restart(std::uint64_t seed, std::uint64_t draw = 0) override;
  void advance() override;
  double launch(std::uint32_t variant) override { return latency_ns(variant); }
  std::string variant_name(std::uint32_t variant) const override { return key_.variants[variant]; }
  Parameters variant_parameters(std::uint32_t variant) const override { return key_.parameters_of(variant); }
  double latency_ns(std::uint32_t variant) const override { return key_.latency_ns[variant][round_]; }

 private:
  const table::TraceKey& key_;
  Order order_;
  std::size_t rounds_;
  std::size_t round_ = 0;
  Random random_;
};

}  // namespace adaptive::replay
