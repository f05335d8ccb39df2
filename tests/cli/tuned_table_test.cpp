// Tests the path from a tuning run to the files of another system and the lookup in these files, and that a
// table of an earlier version is completed.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "kernels/family.hpp"
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

class TuneAgain : public ToolTest {
 protected:
  Outcome tune(std::vector<std::string> more, const std::string& family) const {
    std::vector<std::string> all = {"tune",      family, "--runs",    path("runs"),
                                    "--repeats", "4",    "--confirm", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return tool(all);
  }
};

// A table of an earlier version has the default alone. A shape of each family is raced again once, also if
// candidates fail.
TEST_F(TuneAgain, RacesNewVariantsOfEveryFamilyOnce) {
  const std::string space = write("space.json", R"({"variants": ["no such"]})");
  for (const kernels::Family* family : kernels::families()) {
    SCOPED_TRACE(family->name());
    const std::vector<kernels::Shape> shapes = family->test_shapes();
    const auto has_a_choice = [&](const kernels::Shape& one) {
      for (std::size_t variant = 1; variant < family->variants().size(); ++variant)
        if (family->runs(variant, one)) return true;
      return false;
    };
    const auto chosen = std::find_if(shapes.begin(), shapes.end(), has_a_choice);
    if (chosen == shapes.end()) continue;
    std::string text = kernels::to_string(family->dimensions(), *chosen);
    std::replace(text.begin(), text.end(), ' ', ',');
    const std::vector<std::string> command = {"--devices",    "cpu",      "--shape", text,    "--tables",
                                              path("tables"), "--update", "--quiet", "--json"};
    std::vector<std::string> restricted = command;
    restricted.insert(restricted.end(), {"--space", space});
    EXPECT_EQ(nlohmann::json::parse(tune(restricted, family->name()).out)["raced_again"], 0);
    const nlohmann::json raced = nlohmann::json::parse(tune(command, family->name()).out);
    EXPECT_EQ(raced["raced_again"], 1);
    EXPECT_GT(raced["shapes"][0]["candidates"].size(), 1u);
    const nlohmann::json known = nlohmann::json::parse(tune(command, family->name()).out);
    EXPECT_EQ(known["raced_again"], 0);
    EXPECT_EQ(known["skipped"], 1);
  }
}

}  // namespace
}  // namespace adaptive::cli
