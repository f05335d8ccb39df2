// A program whose sizes change from call to call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <adaptive/random.hpp>
#include "replay/environments/environment.hpp"

namespace adaptive::inline v1::replay {

/// Products of activations with one of four weights, as a serving engine launches them: the number of tokens
/// is log-uniform from 1 to 16,384, so nearly every call has another one. Twenty tiles cost what a simple
/// model of a GPU says. A tile computes its remainder in full, and blocks run in whole waves on the
/// multiprocessors. Each launch has independent lognormal noise of 3 %.
class ChangingSizes final : public Environment {
 public:
  ChangingSizes();

  void restart(std::uint64_t seed, std::uint64_t draw = 0) override;
  void advance() override;
  double launch(std::uint32_t variant) override { return latency_ns(variant); }
  double latency_ns(std::uint32_t variant) const override { return mean(variant) * factor_; }

  std::string variant_name(std::uint32_t variant) const override;
  Parameters variant_parameters(std::uint32_t variant) const override;

  bool changes_keys() const override { return true; }
  /// tokens, n, k
  std::vector<Dimension> dimensions() const override;
  Key key() const override { return key_; }
  std::vector<double> means_at(const Key& key) const override;

 private:
  Key key_;
  Random random_;
  double factor_ = 1.0;
};

}  // namespace adaptive::replay
