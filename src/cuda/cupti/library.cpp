#include "cuda/cupti/library.hpp"

#include <dlfcn.h>

#include <cstdint>
#include <string>
#include <type_traits>

namespace adaptive::inline v1::cuda {
namespace {

// CUPTI_API_VERSION is 130001 for CUDA 13.0.1; before CUDA 12 it was a plain count.
constexpr std::uint32_t version_of_major = 10'000;

void* open_library() {
  // Try the soname first, so that a library that another part of the program has loaded is used again.
  const std::string soname = "libcupti.so." + std::to_string(CUDA_VERSION / 1000);
  if (void* const library = dlopen(soname.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
#if defined(ADAPTIVE_CUPTI_HINT)
  if (void* const library = dlopen(ADAPTIVE_CUPTI_HINT, RTLD_NOW | RTLD_LOCAL)) return library;
#endif
  return nullptr;
}

bool load_cupti(CuptiLibrary& cupti) {
  void* const library = open_library();
  if (library == nullptr) return false;
  bool complete = true;
  const auto find = [&](auto& function, const char* name) {
    void* const address = dlsym(library, name);
    if (address == nullptr) complete = false;
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
  };
  find(cupti.get_version, "cuptiGetVersion");
  find(cupti.subscribe, "cuptiSubscribe");
  find(cupti.unsubscribe, "cuptiUnsubscribe");
  find(cupti.enable_callback, "cuptiEnableCallback");
  find(cupti.register_callbacks, "cuptiActivityRegisterCallbacks");
  find(cupti.enable, "cuptiActivityEnable");
  find(cupti.disable, "cuptiActivityDisable");
  find(cupti.flush_all, "cuptiActivityFlushAll");
  find(cupti.get_next_record, "cuptiActivityGetNextRecord");
  find(cupti.get_dropped, "cuptiActivityGetNumDroppedRecords");
  find(cupti.get_graph_node_id, "cuptiGetGraphNodeId");
  find(cupti.get_result_string, "cuptiGetResultString");
  std::uint32_t version = 0;
  return complete && cupti.get_version(&version) == CUPTI_SUCCESS &&
         (CUPTI_API_VERSION < 10 * version_of_major ||
          version / version_of_major == CUPTI_API_VERSION / version_of_major);
}

}  // namespace

const CuptiLibrary* CuptiLibrary::find() noexcept {
  static const CuptiLibrary* const found = []() noexcept -> const CuptiLibrary* {
    try {
      static CuptiLibrary library;
      return load_cupti(library) ? &library : nullptr;
    } catch (...) {
      return nullptr;
    }
  }();
  return found;
}

}  // namespace adaptive::cuda
