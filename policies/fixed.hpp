#pragma once

#include <adaptive/policy.hpp>

namespace adaptive::inline v1::policies {

/// Runs the incumbent, always: what the table says, or the default variant where it says nothing. Explores
/// nothing.
///
/// One call in 64 is timed, so that the statistics tell how many calls there were and how the incumbent
/// fares; a timed call runs no other variant than an untimed one. Another variant takes over only where
/// results of it come from outside (`Operation::record` of a key and a variant) and it is established, or
/// where the incumbent fails.
class Fixed final : public Policy {
 public:
  struct Options {
    double consulted = 1.0 / 64;  ///< share of the calls that are timed
  };

  Fixed() = default;
  explicit Fixed(const Options& options) : options_(options) {}

  Choice choose(const KeyStatistics& key, Random& random) noexcept override;
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override;

 private:
  Options options_;
};

}  // namespace adaptive::policies
