#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kernels/family.hpp"

namespace adaptive::kernels::dense_gemm {

/// All variants of this folder, including those whose instructions, processors or library this machine lacks.
std::vector<Variant> cpu_variants();

/// Creates a problem on the host; launch() takes an index into cpu_variants(). `shape` must be valid.
std::unique_ptr<Problem> make_cpu_problem(const Shape& shape, std::uint64_t seed,
                                          const std::vector<Variant>& variants);

/// Names and versions of the libraries that this machine has.
std::vector<std::pair<std::string, std::string>> cpu_libraries();

}  // namespace adaptive::kernels::dense_gemm
