// Finds the driver functions that make graphs out of others at run time.
#pragma once

#include <cstddef>

#include <cuda.h>

#include "cuda/graph/driver.hpp"

namespace adaptive::inline v1::cuda {

/// As for `GraphDriver`: the functions of CUDA 12.0, which refuse edges with data, and those that do not.
/// They are kept apart from those of `GraphDriver` so that a driver without one of them can still update
/// graphs.
struct CopyDriver {
  CUresult (*graph_clone)(CUgraph*, CUgraph original);
  CUresult (*find_in_clone)(CUgraphNode*, CUgraphNode original, CUgraph clone);
  CUresult (*dependents)(CUgraphNode, CUgraphNode*, std::size_t* count);
  CUresult (*add_dependencies)(CUgraph, const CUgraphNode* from, const CUgraphNode* to, std::size_t count);
  CUresult (*remove_dependencies)(CUgraph, const CUgraphNode* from, const CUgraphNode* to, std::size_t count);
  CUresult (*destroy_node)(CUgraphNode);
  CUresult (*add_event)(CUgraphNode*, CUgraph, const CUgraphNode* behind, std::size_t count, CUevent);
  CUresult (*add_child)(CUgraphNode*, CUgraph, const CUgraphNode* behind, std::size_t count, CUgraph child);
  CUresult (*add_kernel)(CUgraphNode*, CUgraph, const CUgraphNode* behind, std::size_t count,
                         const CUDA_KERNEL_NODE_PARAMS_v2*);
  CUresult (*add_memset)(CUgraphNode*, CUgraph, const CUgraphNode* behind, std::size_t count,
                         const CUDA_MEMSET_NODE_PARAMS_v1*, CUcontext);
  CUresult (*add_memcpy)(CUgraphNode*, CUgraph, const CUgraphNode* behind, std::size_t count,
                         const CUDA_MEMCPY3D_v2*, CUcontext);
  CUresult (*copy_attributes)(CUgraphNode to, CUgraphNode from);
  CUresult (*set_attribute)(CUgraphNode, CUlaunchAttributeID, const CUlaunchAttributeValue*);
  CUresult (*instantiate)(CUgraphExec*, CUgraph, unsigned long long flags);
  CUresult (*flags)(CUgraphExec, cuuint64_t*);
  CUresult (*exec_destroy)(CUgraphExec);
  CUresult (*launch)(CUgraphExec, CUstream);
  CUresult (*upload)(CUgraphExec, CUstream);
  CUresult (*memory_info)(std::size_t* free, std::size_t* total);
  CUresult (*wait_event)(CUstream, CUevent, unsigned flags);
  CUresult (*copy_to_host)(void*, CUdeviceptr, std::size_t bytes, CUstream);

  // Null before CUDA 12.3, which has no edges with data.
  CUresult (*edges)(CUgraph, CUgraphNode* from, CUgraphNode* to, EdgeData*, std::size_t* count);
  CUresult (*add_edges)(CUgraph, const CUgraphNode* from, const CUgraphNode* to, const EdgeData*,
                        std::size_t count);
  CUresult (*remove_edges)(CUgraph, const CUgraphNode* from, const CUgraphNode* to, const EdgeData*,
                           std::size_t count);

  /// Null if `Driver::find` returns null, or if a function is missing.
  static const CopyDriver* find() noexcept;
};

}  // namespace adaptive::cuda
