#include "cuda/graph/replay/copy_driver.hpp"

#include <dlfcn.h>

#include <type_traits>

#include "cuda/driver.hpp"

namespace adaptive::inline v1::cuda {
namespace {

using GetCopyAddress = CUresult (*)(const char*, void**, int, cuuint64_t, CUdriverProcAddressQueryResult*);

constexpr int copy_version = 12000;        // the version whose signatures `CopyDriver` has
constexpr int copy_edges_version = 12030;  // the first with edges that carry data

bool load_copy_driver(CopyDriver& driver) noexcept {
  if (Driver::find() == nullptr) return false;  // also initialises the driver
  void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return false;
  const auto get = reinterpret_cast<GetCopyAddress>(dlsym(library, "cuGetProcAddress_v2"));
  if (get == nullptr) return false;

  const auto address_of = [&](const char* name, int version) {
    void* address = nullptr;
    CUdriverProcAddressQueryResult found{};
    return get(name, &address, version, CU_GET_PROC_ADDRESS_LEGACY_STREAM, &found) == CUDA_SUCCESS ? address
                                                                                                   : nullptr;
  };
  bool complete = true;
  const auto find = [&](auto& function, const char* name) {
    void* const address = address_of(name, copy_version);
    if (address == nullptr) complete = false;
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
  };
  const auto find_new = [&](auto& function, const char* name) {
    function =
        reinterpret_cast<std::remove_reference_t<decltype(function)>>(address_of(name, copy_edges_version));
  };
  find(driver.graph_clone, "cuGraphClone");
  find(driver.find_in_clone, "cuGraphNodeFindInClone");
  find(driver.dependents, "cuGraphNodeGetDependentNodes");
  find(driver.add_dependencies, "cuGraphAddDependencies");
  find(driver.remove_dependencies, "cuGraphRemoveDependencies");
  find(driver.destroy_node, "cuGraphDestroyNode");
  find(driver.add_event, "cuGraphAddEventRecordNode");
  find(driver.add_child, "cuGraphAddChildGraphNode");
  find(driver.add_kernel, "cuGraphAddKernelNode");
  find(driver.add_memset, "cuGraphAddMemsetNode");
  find(driver.add_memcpy, "cuGraphAddMemcpyNode");
  find(driver.copy_attributes, "cuGraphKernelNodeCopyAttributes");
  find(driver.set_attribute, "cuGraphKernelNodeSetAttribute");
  find(driver.instantiate, "cuGraphInstantiateWithFlags");
  find(driver.flags, "cuGraphExecGetFlags");
  find(driver.exec_destroy, "cuGraphExecDestroy");
  find(driver.launch, "cuGraphLaunch");
  find(driver.upload, "cuGraphUpload");
  find(driver.memory_info, "cuMemGetInfo");
  find(driver.wait_event, "cuStreamWaitEvent");
  find(driver.copy_to_host, "cuMemcpyDtoHAsync");
  find_new(driver.edges, "cuGraphGetEdges");
  find_new(driver.add_edges, "cuGraphAddDependencies");
  find_new(driver.remove_edges, "cuGraphRemoveDependencies");
  return complete;
}

}  // namespace

const CopyDriver* CopyDriver::find() noexcept {
  static const CopyDriver* const found = []() noexcept -> const CopyDriver* {
    static CopyDriver driver;
    return load_copy_driver(driver) ? &driver : nullptr;
  }();
  return found;
}

}  // namespace adaptive::cuda
