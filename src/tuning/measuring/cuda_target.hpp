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

/// The candidates of a shape are those that the family names for it: the first, the library's own choice
/// where a library has one, is what runs without a table, so it is the default here. Samples are taken on a
/// stream that is kept busy, so that no start event retires before its kernel is there. Where the driver says
/// that the device was slowed down by its temperature or power during a round, the round is `throttled`.
///
/// Makes no use of the device before fingerprint() or open().
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
