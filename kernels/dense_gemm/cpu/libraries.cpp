#include "kernels/dense_gemm/cpu/libraries.hpp"

#include <cstring>
#include <vector>

namespace adaptive::kernels::dense_gemm {

std::span<const Library> libraries() {
  static const std::vector<Library> all = {
#ifdef ADAPTIVE_OPENBLAS
      openblas(),
#endif
#ifdef ADAPTIVE_BLIS
      blis(),
#endif
#ifdef ADAPTIVE_ONEDNN
      onednn(),
#endif
  };
  return all;
}

const Library* find_library(const char* name) {
  for (const Library& library : libraries())
    if (std::strcmp(library.name, name) == 0) return &library;
  return nullptr;
}

}  // namespace adaptive::kernels::dense_gemm
