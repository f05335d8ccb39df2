// Whether ranges are wanted.
#include <cstdlib>
#include <string_view>

#include "cuda/nvtx/ranges.hpp"

namespace adaptive::inline v1::cuda {

bool asks_for_nvtx(bool program) noexcept {
  const char* const text = std::getenv("ADAPTIVE_NVTX");
  if (text == nullptr || *text == '\0') return program;
  return std::string_view(text) != "0";
}

}  // namespace adaptive::cuda
