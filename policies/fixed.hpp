#pragma once

#include <adaptive/policy.hpp>

namespace adaptive::inline v1::policies {

/// Always runs the incumbent, which comes from the table or is the default variant. Never explores.
///
/// One call in 64 is timed, so that the statistics show the number of calls and the latency of the incumbent;
/// timed calls run the incumbent, too. Another variant becomes the incumbent only if the incumbent fails, or
/// if results of the other variant come from outside (`Operation::record` with a key and a variant) and
/// establish it.
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
