// Ranges of NVTX, received by a profiler that is linked into the test.
#define NVTX_NO_IMPL  // the types alone: ranges.cpp has the rest
#include <gtest/gtest.h>
#include <nvtx3/nvToolsExt.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "cuda/nvtx/ranges.hpp"
#include "tests/selector/environment_variable.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

// What the profiler has seen.
std::string domain_name;
std::vector<std::string> begun;
std::set<nvtxRangeId_t> open;

nvtxDomainHandle_t create_domain(const char* name) {
  domain_name = name;
  return reinterpret_cast<nvtxDomainHandle_t>(&domain_name);
}

nvtxRangeId_t begin_range(nvtxDomainHandle_t domain, const nvtxEventAttributes_t* event) {
  EXPECT_EQ(domain, reinterpret_cast<nvtxDomainHandle_t>(&domain_name));
  begun.emplace_back(event->message.ascii);
  open.insert(begun.size());
  return begun.size();
}

void end_range(nvtxDomainHandle_t /*domain*/, nvtxRangeId_t range) {
  EXPECT_EQ(open.erase(range), 1u);
}

int initialize(NvtxGetExportTableFunc_t export_table) {
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

TEST(Nvtx, ARangeNamesOperationVariantAndReason) {
  const cuda::NvtxRanges* const ranges = cuda::NvtxRanges::find();
  ASSERT_NE(ranges, nullptr);
  EXPECT_EQ(domain_name, "adaptive");
  EXPECT_EQ(cuda::NvtxRanges::find(), ranges);
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"plain", "tiled"}, "gemm"));
  const std::uint64_t first = ranges->begin(op, 1, "exploring");
  const std::uint64_t second = ranges->begin(op, 0, "leader");
  EXPECT_EQ(begun, (std::vector<std::string>{"gemm tiled (exploring)", "gemm plain (leader)"}));
  ranges->end(first);  // in any order
  ranges->end(second);
  EXPECT_TRUE(open.empty());
  EXPECT_EQ(ranges->begin(op, 7, "leader"), 0u) << "there is no such variant";
}

TEST(Nvtx, TheEnvironmentOverridesTheProgram) {
  for (const bool program : {false, true}) {
    const test::EnvironmentVariable unset("ADAPTIVE_NVTX", "");
    EXPECT_EQ(cuda::asks_for_nvtx(program), program);
    const test::EnvironmentVariable on("ADAPTIVE_NVTX", "1");
    EXPECT_TRUE(cuda::asks_for_nvtx(program));
    const test::EnvironmentVariable off("ADAPTIVE_NVTX", "0");
    EXPECT_FALSE(cuda::asks_for_nvtx(program));
  }
}

TEST(Nvtx, ADecisionTellsWhetherItExplores) {
  Selector selector(test::options_with<test::RoundRobin>());
  Operation& op = selector.define(test::operation({"plain", "tiled"}));
  test::learn(op, {64}, {2e6, 1e6});
  std::set<bool> explored;
  for (int call = 0; call < 4; ++call) {
    const Decision decision = op.select({64});
    EXPECT_EQ(decision.exploring(), decision.variant() == 0) << "the leader is tiled";
    explored.insert(decision.exploring());
  }
  EXPECT_EQ(explored.size(), 2u);
  EXPECT_FALSE(Decision().exploring());
}

}  // namespace
}  // namespace adaptive

extern "C" NvtxInitializeInjectionNvtxFunc_t InitializeInjectionNvtx2_fnptr;
NvtxInitializeInjectionNvtxFunc_t InitializeInjectionNvtx2_fnptr = &adaptive::initialize;
