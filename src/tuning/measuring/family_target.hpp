// What the targets of families on the host and on GPUs have in common.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/family.hpp"
#include "tuning/bench/bench.hpp"
#include "tuning/measuring/sampling.hpp"

namespace adaptive::inline v1::tuning {

/// A target of one family, which must outlive it. Answers what does not need the device.
template <class Family>
class FamilyTarget : public Target {
 public:
  const std::string& name() const override { return family_.name(); }
  const std::vector<kernels::Dimension>& dimensions() const override { return family_.dimensions(); }
  std::optional<std::string> why_invalid(const kernels::Shape& shape) const override {
    return family_.why_invalid(shape);
  }
  std::vector<kernels::Shape> bench_shapes() const override { return family_.bench_shapes(); }

 protected:
  FamilyTarget(const Family& family, SamplingOptions options) : family_(family), options_(options) {}

  const Family& family() const noexcept { return family_; }
  const SamplingOptions& options() const noexcept { return options_; }

 private:
  const Family& family_;
  SamplingOptions options_;
};

}  // namespace adaptive::tuning
