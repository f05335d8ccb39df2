// Finds the driver functions on graphs at run time.
#pragma once

#include <cstddef>

#include <cuda.h>

namespace adaptive::inline v1::cuda {

/// CUDA_ERROR_LOSSY_QUERY, which the headers before CUDA 12.3 do not name.
constexpr auto lossy_query = static_cast<CUresult>(402);

/// CUgraphEdgeData, which the headers before CUDA 12.3 do not have. All zeros: the edge only orders
/// its nodes. Programmatic dependent launch makes edges with data: the second kernel may begin before the
/// first one has ended.
struct EdgeData {
  unsigned char from_port = 0;
  unsigned char to_port = 0;
  unsigned char type = 0;
  unsigned char reserved[5] = {};

  bool is_order() const noexcept { return *this == EdgeData{}; }
  friend bool operator==(const EdgeData&, const EdgeData&) = default;
};

/// Graphs are read and changed only through the driver. The runtime would leave its errors to the program as
/// the thread's last error, and it refuses kernels that it has not loaded itself, such as those of cuBLASLt.
///
/// These are the functions of CUDA 12.0, which return `lossy_query` if an edge carries data that they do not
/// know, except for the one that reads this data.
struct GraphDriver {
  CUresult (*capture_info)(CUstream, CUstreamCaptureStatus*, cuuint64_t* id, CUgraph*,
                           const CUgraphNode** dependencies, std::size_t* count);
  CUresult (*begin_capture)(CUstream, CUstreamCaptureMode);
  CUresult (*end_capture)(CUstream, CUgraph*);
  CUresult (*stream_create)(CUstream*, unsigned flags);
  CUresult (*stream_destroy)(CUstream);
  CUresult (*graph_nodes)(CUgraph, CUgraphNode*, std::size_t* count);
  CUresult (*graph_destroy)(CUgraph);
  CUresult (*node_type)(CUgraphNode, CUgraphNodeType*);
  CUresult (*node_dependencies)(CUgraphNode, CUgraphNode*, std::size_t* count);
  /// Null before CUDA 12.3, which has no edges with data.
  CUresult (*edges_into)(CUgraphNode, CUgraphNode*, EdgeData*, std::size_t* count);
  CUresult (*kernel_params)(CUgraphNode, CUDA_KERNEL_NODE_PARAMS_v2*);
  CUresult (*kernel_attribute)(CUgraphNode, CUlaunchAttributeID, CUlaunchAttributeValue*);
  CUresult (*memset_params)(CUgraphNode, CUDA_MEMSET_NODE_PARAMS_v1*);
  CUresult (*memcpy_params)(CUgraphNode, CUDA_MEMCPY3D_v2*);
  CUresult (*set_kernel)(CUgraphExec, CUgraphNode, const CUDA_KERNEL_NODE_PARAMS_v2*);
  CUresult (*set_memset)(CUgraphExec, CUgraphNode, const CUDA_MEMSET_NODE_PARAMS_v1*, CUcontext);
  CUresult (*set_memcpy)(CUgraphExec, CUgraphNode, const CUDA_MEMCPY3D_v2*, CUcontext);

  /// Null if `Driver::find` returns null.
  static const GraphDriver* find() noexcept;
};

}  // namespace adaptive::cuda
