#pragma once

#include <memory>
#include <vector>

#include "kernels/family.hpp"

namespace adaptive::kernels::ragged_paged_attention {

/// All variants of this folder, including those whose instructions this processor lacks.
std::vector<Variant> cpu_variants();

/// Creates a problem on the host; launch() takes an index into cpu_variants(). `shape` must be valid.
std::unique_ptr<Problem> make_cpu_problem(const Shape& shape, std::uint64_t seed,
                                          const std::vector<Variant>& variants);

}  // namespace adaptive::kernels::ragged_paged_attention
