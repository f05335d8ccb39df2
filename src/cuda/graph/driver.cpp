#include "cuda/graph/driver.hpp"

#include <dlfcn.h>

#include <type_traits>

#include "cuda/driver.hpp"

namespace adaptive::inline v1::cuda {
namespace {

using GetAddress = CUresult (*)(const char*, void**, int, cuuint64_t, CUdriverProcAddressQueryResult*);

constexpr int version = 12000;        // the version whose signatures `GraphDriver` has
constexpr int edges_version = 12030;  // the first with edges that carry data

bool load_graph_driver(GraphDriver& driver) noexcept {
  if (Driver::find() == nullptr) return false;  // also initialises the driver
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return false;
  const auto get = reinterpret_cast<GetAddress>(dlsym(library, "cuGetProcAddress_v2"));
  if (get == nullptr) return false;

  bool complete = true;
  const auto find = [&](auto& function, const char* name) {
    void* address = nullptr;
    CUdriverProcAddressQueryResult found{};
    if (get(name, &address, version, CU_GET_PROC_ADDRESS_LEGACY_STREAM, &found) != CUDA_SUCCESS ||
        address == nullptr)
      complete = false;
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
  };
  find(driver.capture_info, "cuStreamGetCaptureInfo");
  find(driver.begin_capture, "cuStreamBeginCapture");
  find(driver.end_capture, "cuStreamEndCapture");
  find(driver.stream_create, "cuStreamCreate");
  find(driver.stream_destroy, "cuStreamDestroy");
  find(driver.graph_nodes, "cuGraphGetNodes");
  find(driver.graph_destroy, "cuGraphDestroy");
  find(driver.node_type, "cuGraphNodeGetType");
  find(driver.node_dependencies, "cuGraphNodeGetDependencies");
  void* edges = nullptr;
  CUdriverProcAddressQueryResult found{};
  if (get("cuGraphNodeGetDependencies", &edges, edges_version, CU_GET_PROC_ADDRESS_LEGACY_STREAM, &found) ==
      CUDA_SUCCESS)
    driver.edges_into = reinterpret_cast<decltype(driver.edges_into)>(edges);
  find(driver.kernel_params, "cuGraphKernelNodeGetParams");
  find(driver.kernel_attribute, "cuGraphKernelNodeGetAttribute");
  find(driver.memset_params, "cuGraphMemsetNodeGetParams");
  find(driver.memcpy_params, "cuGraphMemcpyNodeGetParams");
  find(driver.set_kernel, "cuGraphExecKernelNodeSetParams");
  find(driver.set_memset, "cuGraphExecMemsetNodeSetParams");
  find(driver.set_memcpy, "cuGraphExecMemcpyNodeSetParams");
  return complete;
}

}  // namespace

const GraphDriver* GraphDriver::find() noexcept {
  static const GraphDriver* const found = []() noexcept -> const GraphDriver* {
    static GraphDriver driver;
    return load_graph_driver(driver) ? &driver : nullptr;
  }();
  return found;
}

}  // namespace adaptive::cuda
