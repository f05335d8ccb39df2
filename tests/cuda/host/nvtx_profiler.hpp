// A profiler that is linked into a test and receives its ranges of NVTX. One file of a program includes this.
#pragma once

#define NVTX_NO_IMPL  // the types alone: ranges.cpp has the rest
#include <gtest/gtest.h>
#include <nvtx3/nvToolsExt.h>

#include <set>
#include <string>
#include <vector>

namespace adaptive::test::profiler {

// What the profiler has seen.
inline std::string domain_name;
inline std::vector<std::string> begun;
inline std::set<nvtxRangeId_t> open;

inline nvtxDomainHandle_t create_domain(const char* name) {
  domain_name = name;
  return reinterpret_cast<nvtxDomainHandle_t>(&domain_name);
}

inline nvtxRangeId_t begin_range(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* event) {
  EXPECT_EQ(domain, reinterpret_cast<nvtxDomainHandle_t>(&domain_name));
  begun.emplace_back(event->message.ascii);
  open.insert(begun.size());
  return begun.size();
}

inline void end_range(nvtxDomainHandle_t /*domain*/, nvtxRangeId_t range) {
  EXPECT_EQ(open.erase(range), 1u);
}

inline int initialize(NvtxGetExportTableFunc_t export_table) {
  const auto* const callbacks =
      static_cast<const NvtxExportTableCallbacks*>(export_table(NVTX_ETID_CALLBACKS));
  NvtxFunctionTable table = nullptr;
  unsigned size = 0;
  if (callbacks == nullptr || callbacks->GetModuleFunctionTable(NVTX_CB_MODULE_CORE2, &table, &size) == 0)
    return 0;
  *table[NVTX_CBID_CORE2_DomainCreateA] = reinterpret_cast<NvtxFunctionPointer>(&create_domain);
  *table[NVTX_CBID_CORE2_DomainRangeStartEx] = reinterpret_cast<NvtxFunctionPointer>(&begin_range);
  *table[NVTX_CBID_CORE2_DomainRangeEnd] = reinterpret_cast<NvtxFunctionPointer>(&end_range);
  return 1;
}

}  // namespace adaptive::test::profiler

extern "C" NvtxInitializeInjectionNvtxFunc_t InitializeInjectionNvtx2_fnptr;
NvtxInitializeInjectionNvtxFunc_t InitializeInjectionNvtx2_fnptr = &adaptive::test::profiler::initialize;
