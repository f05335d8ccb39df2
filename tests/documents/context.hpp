// What the blocks of C++ in the documents use without declaring it: the surroundings that a reader has to
// imagine. The blocks are compiled and not run. Each is the body of a member function, so that it may declare
// any of these names anew.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <vector>

#include <adaptive/adaptive.hpp>
#include <adaptive/metrics.hpp>

#include "kernels/family.hpp"
#include "table/table.hpp"
#include "tuning/measuring/host_target.hpp"
#include "tuning/tuner.hpp"
#ifdef ADAPTIVE_DOCUMENTS_WITH_CUDA
#include <cuda_runtime_api.h>

#include <adaptive/cuda.hpp>

#include "kernels/cuda_family.hpp"
#endif

namespace prometheus {
class Collectable;
}

namespace adaptive::documents {

/// Stands for `prometheus::Exposer`, whose header is not needed to compile a call.
struct Exposer {
  void RegisterCollectable(const std::weak_ptr<prometheus::Collectable>& collectable);
};

struct Context {
  adaptive::Selector& selector;
  std::int64_t now;
  int rank;
  std::filesystem::path shared_path;
  std::vector<kernels::Shape> shapes;
  table::Table known_table;
  Exposer exposer;
  std::shared_ptr<prometheus::Collectable> collectable;
  void barrier();
};

#ifdef ADAPTIVE_DOCUMENTS_WITH_CUDA
struct Arguments {};

struct DeviceContext {
  adaptive::Operation& gemm;
  std::int64_t m, n, k, groups;
  Arguments arguments;
  cudaStream_t stream;
  cudaGraphExec_t exec;
  adaptive::kernels::Shape shape;
  cudaError_t (*kernels[2])(Arguments, cudaStream_t);
};
#endif

}  // namespace adaptive::documents
