// Finds CUPTI's functions at run time. A program that never asks for kernel records never loads the library.
#pragma once

#include <cuda.h>
#include <cupti.h>

namespace adaptive::inline v1::cuda {

/// The newest kernel record in the headers. The library must have the same major version: within one, records
/// only grow at their end, so the fields that are read here (times, correlation id, node id) keep their
/// places.
#if CUPTI_API_VERSION >= 130000
using CuptiKernel = CUpti_ActivityKernel10;
#else
using CuptiKernel = CUpti_ActivityKernel9;
#endif

struct CuptiLibrary {
  decltype(&cuptiGetVersion) get_version;
  decltype(&cuptiSubscribe) subscribe;
  decltype(&cuptiUnsubscribe) unsubscribe;
  decltype(&cuptiEnableCallback) enable_callback;
  decltype(&cuptiActivityRegisterCallbacks) register_callbacks;
  decltype(&cuptiActivityEnable) enable;
  decltype(&cuptiActivityDisable) disable;
  decltype(&cuptiActivityFlushAll) flush_all;
  decltype(&cuptiActivityGetNextRecord) get_next_record;
  decltype(&cuptiActivityGetNumDroppedRecords) get_dropped;
  decltype(&cuptiGetGraphNodeId) get_graph_node_id;
  decltype(&cuptiGetResultString) get_result_string;

  /// Null if CUPTI is not installed or has another major version.
  static const CuptiLibrary* find() noexcept;
};

}  // namespace adaptive::cuda
