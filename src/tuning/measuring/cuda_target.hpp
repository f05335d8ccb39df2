// A family on a GPU. Only in builds with CUDA.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cuda_family.hpp"
#include "tuning/bench/bench.hpp"
#include "tuning/measuring/sampling.hpp"

namespace adaptive::inline v1::tuning {

/// The candidates of a shape are those that the family names for it. The first one is the default here: it is
/// the library's own choice, if a library is used, and it runs if there is no table. Samples are taken on a
/// stream that is kept busy, so that no start event retires before its kernel has arrived. If the driver
/// reports that temperature or power slowed the device during a round, the round is `throttled`.
///
/// Does not use the device before fingerprint() or open().
class CudaTarget final : public Target {
 public:
  explicit CudaTarget(const kernels::cuda::Family& family, SamplingOptions options = {}, int device = 0);

  const std::string& name() const override { return family_.name(); }
  const std::vector<kernels::Dimension>& dimensions() const override { return family_.dimensions(); }
  std::optional<std::string> why_invalid(const kernels::Shape& shape) const override {
    return family_.why_invalid(shape);
  }
  std::vector<kernels::Shape> bench_shapes() const override { return family_.bench_shapes(); }
  Fingerprint fingerprint() override;
  std::unique_ptr<Bench> open(const kernels::Shape& shape) override;

 private:
  const kernels::cuda::Family& family_;
  SamplingOptions options_;
  int device_;
};

}  // namespace adaptive::tuning
