// Recorded latencies as an environment.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/policies/support/environment.hpp"

namespace adaptive::simulation {

/// One key of a trace: latencies by variant, sample i of each from the same round.
struct RecordedKey {
  std::string name;  ///< operation and key, for people
  std::vector<std::string> variants;
  std::vector<std::vector<double>> latency_ns;
};

/// Reads lines {"op","key":{…},"variant","latency_us":[…]}; keys and variants in the order of the file.
/// Throws `Error` with `file:line`.
std::vector<RecordedKey> read_trace(const std::filesystem::path& path);

/// Draws calls from the recorded latencies. All variants of a call come from the same round, so that what
/// slowed one down in the recording slows down whatever runs.
class Recorded final : public Environment {
 public:
  enum class Order {
    random,   ///< rounds drawn independently: loses bursts and drift
    recorded  ///< rounds in their order from a random one on, repeated from the beginning at the end
  };

  /// `key` must outlive it.
  Recorded(const RecordedKey& key, Order order);

  void restart(std::uint64_t seed) override;
  void advance() override;
  double launch(std::uint32_t variant) override { return latency_ns(variant); }
  double latency_ns(std::uint32_t variant) const override { return key_.latency_ns[variant][round_]; }

 private:
  const RecordedKey& key_;
  Order order_;
  std::size_t rounds_;
  std::size_t round_ = 0;
  Random random_;
};

}  // namespace adaptive::simulation
