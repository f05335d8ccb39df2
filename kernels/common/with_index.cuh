#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <utility>

namespace adaptive::kernels {

/// f.operator()<wanted>(), for an index below `count` that is known at run time.
template <std::size_t count, class F>
cudaError_t with_index(std::size_t wanted, const F& f) {
  cudaError_t status = cudaErrorInvalidValue;
  const auto one_of = [&]<std::size_t... index>(std::index_sequence<index...>) {
    static_cast<void>(((wanted == index && (status = f.template operator()<index>(), true)) || ...));
  };
  one_of(std::make_index_sequence<count>{});
  return status;
}

}  // namespace adaptive::kernels
