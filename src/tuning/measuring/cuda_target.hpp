// A family on a GPU. Only in builds with CUDA.
#pragma once

#include <memory>
#include <vector>

#include "kernels/cuda_family.hpp"
#include "tuning/bench/bench.hpp"
#include "tuning/measuring/family_target.hpp"
#include "tuning/measuring/sampling.hpp"

namespace adaptive::inline v1::tuning {

/// The candidates of a shape are those that the family names for it. The first one is the default here: it is
/// the library's own choice, if a library is used, and it runs if there is no table. Samples are taken on a
/// stream that is kept busy, so that no start event retires before its kernel has arrived. If the driver
/// reports that temperature or power slowed the device during a round, the round is `throttled`.
///
/// Does not use the device before fingerprint() or open().
class CudaTarget final : public FamilyTarget<kernels::cuda::Family> {
 public:
  explicit CudaTarget(const kernels::cuda::Family& family, SamplingOptions options = {}, int device = 0);

  Fingerprint fingerprint() override;
  std::unique_ptr<Bench> open(const kernels::Shape& shape) override;
  std::vector<Candidate> candidates(const kernels::Shape& shape) override;

 private:
  /// Makes the device current. Throws `DeviceError`.
  void use_device();

  int device_;
};

}  // namespace adaptive::tuning
