// Tests that the table search finds folders of another system's tables like any other folder.
#include <gtest/gtest.h>

#include <string>

#include "tests/selector/scratch_folder.hpp"
#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

std::string config(int m, int tile) {
  return "{\"" + std::to_string(m) + "\": {\"BLOCK_SIZE_M\": " + std::to_string(tile) +
         ", \"num_warps\": 4}}";
}

class ForeignTables : public testing::Test {
 protected:
  SelectorOptions here(const std::string& version = "") {
    SelectorOptions options = test::options();
    options.device = {.device = "NVIDIA H200"};
    options.tables = {{folder_.path()}, version};
    options.log = log_.callback();
    return options;
  }
  static OperationSpec fused_moe() {
    OperationSpec spec;
    spec.name = "fused_moe";
    spec.dimensions = {size_dimension("m"), size_dimension("E"), size_dimension("N"),
                       label_dimension("dtype", {"fp8_w8a8", "none"})};
    for (const int tile : {16, 32, 64})
      spec.variants.push_back(
          {.name = "tile" + std::to_string(tile), .parameters = {{"BLOCK_SIZE_M", tile}, {"num_warps", 4}}});
    return spec;
  }

  const test::ScratchFolder folder_;
  test::Log log_;
};

TEST_F(ForeignTables, AreSeedsOfVariantsWithTheSameParameters) {
  folder_.write("E=8,N=64,device_name=NVIDIA_H200.json", config(16, 32));
  folder_.write("E=8,N=64,device_name=NVIDIA_H200,dtype=fp8_w8a8.json", config(16, 64));
  folder_.write("E=8,N=64,device_name=NVIDIA_H200,dtype=fp8_w8a8,backend=other.json", config(16, 16));
  folder_.write("E=8,N=64,device_name=NVIDIA_A100-SXM4-80GB.json", config(16, 64));
  Selector selector(here());
  Operation& moe = selector.define(fused_moe());
  const Explanation plain = moe.explain({16, 8, 64, 1});
  EXPECT_EQ(plain.match.kind, MatchKind::exact) << log_.text();
  EXPECT_EQ(plain.incumbent, "tile32");
  EXPECT_EQ(moe.explain({16, 8, 64, 0}).incumbent, "tile64");
  EXPECT_EQ(moe.explain({17, 8, 64, 1}).match.kind, MatchKind::nearest);
  EXPECT_EQ(moe.explain({4096, 8, 64, 1}).match.kind, MatchKind::fallback);
}

// Such a table gives an order without latencies: its variant is tried first, and no latency is known.
TEST_F(ForeignTables, ConfirmNothing) {
  folder_.write("E=8,N=64,device_name=NVIDIA_H200.json", config(16, 32));
  Selector selector(here());
  Operation& moe = selector.define(fused_moe());
  const Key key{16, 8, 64, 1};
  EXPECT_EQ(moe.select(key).variant(), 1u);
  for (const Explanation::Candidate& candidate : moe.explain(key).candidates)
    EXPECT_EQ(candidate.seed_ns, 0.0);
  for (int i = 0; i < 50; ++i) moe.record(key, 1, Latency(200.0));
  EXPECT_FALSE(moe.explain(key).settled) << "the others have not been measured";
  test::launch(moe, key, {100, 200, 300}, 2000);
  EXPECT_EQ(test::incumbent(moe, key), 0u);
}

TEST_F(ForeignTables, OfAVersionFolder) {
  folder_.write("configs/triton_3_4_0/E=8,N=64,device_name=NVIDIA_H200.json", config(16, 32));
  folder_.write("configs/triton_3_5_1/E=8,N=64,device_name=NVIDIA_H200.json", config(16, 64));
  EXPECT_EQ(Selector(here("3.4.0")).define(fused_moe()).explain({16, 8, 64, 1}).incumbent, "tile32");
  EXPECT_EQ(Selector(here("triton_3_5_1")).define(fused_moe()).explain({16, 8, 64, 1}).incumbent, "tile64");
  EXPECT_EQ(Selector(here()).define(fused_moe()).explain({16, 8, 64, 1}).incumbent, "tile64");
}

TEST_F(ForeignTables, AreSavedInTheProgramsWords) {
  folder_.write("E=8,N=64,device_name=NVIDIA_H200.json", config(16, 32));
  Selector selector(here());
  selector.define(fused_moe());
  selector.save(folder_ / "saved.json");
  const std::string saved = folder_.read("saved.json");
  EXPECT_NE(saved.find("\"incumbent\": \"tile32\""), std::string::npos) << saved;
  EXPECT_EQ(saved.find("m32_w4"), std::string::npos) << saved;
}

TEST_F(ForeignTables, ThatAreBrokenAreSaidAndTheRestIsUsed) {
  folder_.write("E=8,N=64,device_name=NVIDIA_H200.json", config(16, 32));
  folder_.write("E=9,N=64,device_name=NVIDIA_H200.json", "{\"16\": ");
  Selector selector(here());
  EXPECT_EQ(selector.define(fused_moe()).explain({16, 8, 64, 1}).incumbent, "tile32");
  EXPECT_EQ(log_.count("E=9,N=64,device_name=NVIDIA_H200.json", LogLevel::warning), 1u) << log_.text();
}

}  // namespace
}  // namespace adaptive
