// A family on the host, timed with the host's clock.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/family.hpp"
#include "tuning/bench/bench.hpp"
#include "tuning/measuring/sampling.hpp"

namespace adaptive::inline v1::tuning {

class HostTarget final : public Target {
 public:
  explicit HostTarget(const kernels::Family& family, SamplingOptions options = {});

  const std::string& name() const override { return family_.name(); }
  const std::vector<kernels::Dimension>& dimensions() const override { return family_.dimensions(); }
  std::optional<std::string> why_invalid(const kernels::Shape& shape) const override {
    return family_.why_invalid(shape);
  }
  std::vector<kernels::Shape> bench_shapes() const override { return family_.bench_shapes(); }
  Fingerprint fingerprint() override;
  std::unique_ptr<Bench> open(const kernels::Shape& shape) override;

 private:
  const kernels::Family& family_;
  SamplingOptions options_;
};

}  // namespace adaptive::tuning
