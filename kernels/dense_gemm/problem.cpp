#include "kernels/dense_gemm/problem.hpp"

#include <utility>

namespace adaptive::kernels::dense_gemm {

std::vector<Dimension> dimensions_with(std::vector<std::string> types) {
  return {{"m", Dimension::Kind::size},
          {"n", Dimension::Kind::size},
          {"k", Dimension::Kind::size},
          {"dtype", Dimension::Kind::label, std::move(types)}};
}

std::optional<std::string> why_no_product(const std::vector<Dimension>& dimensions, const Shape& shape,
                                          int elements_log2) {
  if (auto why = why_out_of_range(dimensions, shape)) return why;
  for (std::size_t i = 0; i < 3; ++i) {
    constexpr std::int64_t most = std::int64_t{1} << 30;  // indices along one dimension are ints
    if (shape[i] == 0) return dimensions[i].name + " is 0; it must be at least 1";
    if (shape[i] > most) return dimensions[i].name + " is above 2^30";
  }
  const std::int64_t m = shape[0], n = shape[1], k = shape[2];
  const std::int64_t elements_max = std::int64_t{1} << elements_log2;
  const std::string above = " is above 2^" + std::to_string(elements_log2);
  if (n * k > elements_max) return "n * k" + above;
  if (m * k > elements_max) return "m * k" + above;
  if (m * n > elements_max) return "m * n" + above;
  return std::nullopt;
}

}  // namespace adaptive::kernels::dense_gemm
