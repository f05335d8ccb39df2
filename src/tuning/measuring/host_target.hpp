// A family on the host, timed with the host's clock.
#pragma once

#include <memory>
#include <vector>

#include "kernels/family.hpp"
#include "tuning/bench/bench.hpp"
#include "tuning/measuring/family_target.hpp"
#include "tuning/measuring/sampling.hpp"

namespace adaptive::inline v1::tuning {

class HostTarget final : public FamilyTarget<kernels::Family> {
 public:
  explicit HostTarget(const kernels::Family& family, SamplingOptions options = {});

  Fingerprint fingerprint() override;
  std::unique_ptr<Bench> open(const kernels::Shape& shape) override;
  std::vector<Candidate> candidates(const kernels::Shape& shape) override;
};

}  // namespace adaptive::tuning
