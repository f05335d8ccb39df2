// measure() for families on the GPU.
#pragma once

#include "kernels/cuda_family.hpp"
#include "tuning/measurement.hpp"

namespace adaptive::tuning {

/// The candidates of a shape, by event pairs on a stream that is kept busy, less the pair's own part
/// (cuda::Timer::bias). Weights take turns among copies that the cache does not hold, as layers of a model
/// do. Every candidate is loaded and checked against the reference first. Throws std::runtime_error where the
/// device fails.
Measurement measure(const kernels::cuda::Family& family, const kernels::Shape& shape,
                    const MeasureOptions& options);

}  // namespace adaptive::tuning
