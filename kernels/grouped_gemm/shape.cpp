#include "kernels/grouped_gemm/shape.hpp"

#include <algorithm>
#include <cstdint>

namespace adaptive::kernels::grouped_gemm {

std::optional<std::string> why_no_product(const std::vector<Dimension>& dimensions, const Shape& shape,
                                          int elements_log2) {
  if (auto why = why_out_of_range(dimensions, shape)) return why;
  for (std::size_t i = 1; i < 4; ++i)
    if (shape[i] == 0) return dimensions[i].name + " is 0; it must be at least 1";
  const std::int64_t tokens = shape[0], n = shape[1], k = shape[2], experts = shape[3], filled = shape[4];
  const std::string is = "filled is " + std::to_string(filled);
  if (filled > experts) return is + ", more than experts = " + std::to_string(experts);
  if (filled > tokens)
    return is + ", more than tokens = " + std::to_string(tokens) + "; each filled expert needs a row";
  if (filled == 0 && tokens != 0) return "filled is 0, but tokens is not";
  const std::string most = " is above 2^" + std::to_string(elements_log2);
  const std::int64_t elements_max = std::int64_t{1} << elements_log2;
  if (n > elements_max / k / experts) return "experts * n * k" + most;
  if (tokens > elements_max / std::max(n, k)) return "tokens * max(n, k)" + most;
  return std::nullopt;
}

}  // namespace adaptive::kernels::grouped_gemm
