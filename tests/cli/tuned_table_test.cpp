// Tests the path from a tuning run to the files of another system, and the lookup in these files.
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

#include "table/table.hpp"
#include "tests/cli/tool.hpp"
#include "tests/tuning/fake_target.hpp"
#include "tuning/tuner.hpp"

namespace adaptive::inline v1::cli {
namespace {

class TunedTable : public ToolTest {};

TEST_F(TunedTable, IsFoundByTheRuleOfTheSystemThatItIsExportedTo) {
  using kernels::Dimension;
  tuning::FakeDevice device;
  device.name = "NVIDIA_H200";
  device.family = "fused_moe";
  device.dimensions = {
      {"m", Dimension::Kind::size}, {"E", Dimension::Kind::size}, {"N", Dimension::Kind::size}};
  device.candidates.clear();
  for (const std::int64_t block : {128, 64, 32, 16})
    device.candidates.push_back({.name = "m" + std::to_string(block),
                                 .us = block == 32 ? 10.0 : 20.0,
                                 .parameters = {{"BLOCK_SIZE_M", block}, {"num_warps", 4}}});
  tuning::FakeTarget target(device);
  tuning::TrialLog log;
  const tuning::TuneResult result = tuning::tune({&target}, {{16, 8, 64}, {64, 8, 64}}, log);
  table::write(tuning::to_table(result, 1), path("tuned.json"));

  const Outcome exported = tool({"export", "--to", "vllm", path("tuned.json"), "-o", path("configs")});
  ASSERT_EQ(exported.code, 0) << exported.err;
  const std::string file = path("configs/E=8,N=64,device_name=NVIDIA_H200.json");
  for (const char* m : {"m=16", "m=17", "m=60", "m=4096"}) {
    const Outcome found = tool({"lookup", file, "--key", m, "--like", "vllm", "--json"});
    ASSERT_EQ(found.code, 0) << found.err;
    EXPECT_EQ(nlohmann::json::parse(found.out)["parameters"]["BLOCK_SIZE_M"], 32) << m;
  }
}

}  // namespace
}  // namespace adaptive::cli
