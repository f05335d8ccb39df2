// What the launches of one key cost: the truth that a policy has to find out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/key.hpp>
#include <adaptive/variant.hpp>
#include "replay/environments/noise.hpp"

namespace adaptive::inline v1::replay {

/// One run of calls, numbered from 0. Everything follows from the seeds; nothing depends on what is chosen,
/// except where a variant's first launch is cold.
class Environment {
 public:
  virtual ~Environment() = default;

  /// Begins a new run, before its first call. Runs with the same `seed` have the same true latencies; `draw`
  /// selects another sequence of launches with them.
  virtual void restart(std::uint64_t seed, std::uint64_t draw = 0) = 0;
  /// Goes on to the next call; once before the first.
  virtual void advance() = 0;
  /// What launching `variant` in this call costs.
  virtual double launch(std::uint32_t variant) = 0;
  /// What it would cost were the variant warm.
  virtual double latency_ns(std::uint32_t variant) const = 0;

  virtual std::string variant_name(std::uint32_t variant) const { return "v" + std::to_string(variant); }
  virtual Parameters variant_parameters(std::uint32_t) const { return {}; }

  /// Where this is true each call has a key of its own, and the members below describe the current one.
  virtual bool changes_keys() const { return false; }
  /// The dimensions of the keys, one value each.
  virtual std::vector<Dimension> dimensions() const { return {{"size"}}; }
  /// The key of the current call.
  virtual Key key() const { return {1}; }
  /// The true means of all variants at `key`, up to a common factor.
  virtual std::vector<double> means_at(const Key&) const { return means_; }

  std::size_t size() const noexcept { return means_.size(); }
  /// True mean at this call, up to a factor common to all variants.
  double mean(std::uint32_t variant) const noexcept { return means_[variant]; }
  double best_mean() const noexcept { return means_[best_]; }
  std::uint32_t best() const noexcept { return best_; }
  /// How much slower than the best, at this call: 0.01 is one percent.
  double gap(std::uint32_t variant) const noexcept { return mean(variant) / best_mean() - 1.0; }

 protected:
  Environment() = default;
  Environment(const Environment&) = default;
  Environment& operator=(const Environment&) = default;
  void set_means(std::vector<double> means);

 private:
  std::vector<double> means_;
  std::uint32_t best_ = 0;
};

/// From `call` on, before it runs, latencies are multiplied by `factor`: at once, or little by little over
/// some calls.
struct Change {
  enum class Whose { best, third, all };
  std::size_t call = 0;
  Whose whose = Whose::best;  ///< by rank when it happens
  double factor = 1.0;
  std::size_t over = 1;  ///< calls that the change takes
};

/// Something else that slows all variants down now and then: the first `calls` of every `period` calls take
/// `factor` times as long. A run begins anywhere in a period.
struct Interference {
  std::size_t period = 0;  ///< calls; 0: never
  std::size_t calls = 0;
  double factor = 1.0;
};

/// What the parameters of simulated variants, tiles, stages and warps, have to do with their latencies.
enum class Likeness {
  unknown,  ///< they have none
  real,  ///< each parameter has a best value, and what is further from it takes longer; 3 % are a variant's
         ///< own
  apparent,  ///< nothing
  broken     ///< all but one, whichever, take nearly as long as the slowest
};

/// Variants in geometric progression from 1 to `spread`, in an order that the seed shuffles, so that the
/// default is any of them; or where their likeness places them in between.
struct SyntheticOptions {
  std::size_t variants = 8;
  double spread = 2.0;
  Likeness likeness = Likeness::unknown;
  double least_ns = 20'000.0;
  NoiseModel noise = {};
  /// Factor of a variant's first launch: module load, JIT, cache.
  double cold = 1.0;
  double cold_ns = 0.0;  ///< what that launch takes besides, whatever the variant
  std::vector<Change> changes = {};
  Interference interference = {};
};

class Synthetic final : public Environment {
 public:
  explicit Synthetic(SyntheticOptions options, std::uint64_t seed = 0);

  void restart(std::uint64_t seed, std::uint64_t draw = 0) override;
  void advance() override;
  double launch(std::uint32_t variant) override;
  double latency_ns(std::uint32_t variant) const override { return mean(variant) * factor_; }
  Parameters variant_parameters(std::uint32_t variant) const override;

 private:
  void apply(const Change& change);
  bool hits(const Change& change, std::uint32_t variant) const;

  SyntheticOptions options_;
  Noise noise_;
  std::size_t next_call_ = 0;
  std::size_t phase_ = 0;  // in the period of the interference, of call 0
  double factor_ = 1.0;
  std::vector<bool> warm_;
  std::vector<std::uint32_t> order_;  // by mean when the latest change began
};

}  // namespace adaptive::replay
