#include "tests/structure/tree_rules.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/structure/scratch_tree.hpp"

namespace adaptive::structure {
namespace {

TEST(Tree, HoldsItsRules) {
  const Report report = check_tree(ADAPTIVE_SOURCE_ROOT);
  EXPECT_TRUE(report.violations.empty()) << to_text(report);
  // A check that reads nothing would always pass.
  EXPECT_GT(report.files, 5U);
  EXPECT_GT(report.includes, 5U);
}

TEST(TreeRules, AcceptWhatTheLayersAllow) {
  const ScratchTree tree({
      {"include/adaptive/key.hpp", "#include <array>\n#include <cstdint>\n"},
      {"include/adaptive/selector.hpp", "#include <adaptive/key.hpp>\n#include \"key.hpp\"\n"},
      {"include/adaptive/cuda.hpp", "#include <cuda_runtime_api.h>\n#include <adaptive/key.hpp>\n"},
      {"src/base/index.hpp", "#include <adaptive/key.hpp>\n"},
      {"src/base/index.cpp", "#include \"index.hpp\"\n#include <boost/math/distributions.hpp>\n"},
      {"policies/greedy.cpp", "#include \"base/index.hpp\"\n#include <Eigen/Dense>\n"},
      {"src/table/file.hpp", "#include \"src/base/index.hpp\"\n#include <fcntl.h>\n#include <sys/stat.h>\n"},
      {"src/table/file.cpp", "#include <nlohmann/json.hpp>\n#include \"file.hpp\"\n"},
      {"src/cuda/events.cpp", "#include <cuda_runtime_api.h>\n#include \"base/index.hpp\"\n"},
      {"src/selector/selector.cpp", "#include \"table/file.hpp\"\n#include \"base/index.hpp\"\n"},
      {"kernels/family.hpp", "#include <vector>\n"},
      {"kernels/gemm/cuda/gemm.cu", "#include <cuda_fp16.h>\n#include \"kernels/family.hpp\"\n"},
      {"src/tuning/tuner.cpp", "#include \"kernels/family.hpp\"\n#include \"table/file.hpp\"\n"},
      {"src/cli/main.cpp", "#include <CLI/CLI.hpp>\n#include <fmt/format.h>\n#include \"table/file.hpp\"\n"},
      {"bench/free.cpp", "#include <anything/goes.hpp>\n#include \"src/base/index.hpp\"\n"},
  });
  const Report report = check_tree(tree.root());
  EXPECT_TRUE(report.violations.empty()) << to_text(report);
  EXPECT_EQ(report.files, 15U);
}

struct BrokenTree {
  std::string name;
  Files files;
  std::string expected;  // the whole report
};

class TreeRulesReject : public ::testing::TestWithParam<BrokenTree> {};

TEST_P(TreeRulesReject, Broken) {
  const ScratchTree tree(GetParam().files);
  EXPECT_EQ(to_text(check_tree(tree.root())), GetParam().expected);
}

std::string lines(std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += "//\n";
  return text;
}

INSTANTIATE_TEST_SUITE_P(
    , TreeRulesReject,
    ::testing::Values(
        BrokenTree{"KernelsIncludeOurs",
                   {{"include/adaptive/key.hpp", ""},
                    {"kernels/family.hpp", "#pragma once\n\n#include <adaptive/key.hpp>\n"}},
                   "kernels/family.hpp:3: kernels may not include public (include/adaptive/key.hpp)\n"},
        BrokenTree{"BaseIncludesTable",
                   {{"src/table/file.hpp", ""}, {"src/base/index.cpp", "#include \"table/file.hpp\"\n"}},
                   "src/base/index.cpp:1: base may not include table (src/table/file.hpp)\n"},
        BrokenTree{
            "BaseIncludesTableByARelativePath",
            {{"src/table/file.hpp", ""}, {"src/base/index.cpp", " #  include \"../table/file.hpp\"\n"}},
            "src/base/index.cpp:1: base may not include table (src/table/file.hpp)\n"},
        BrokenTree{"PolicyIncludesSelector",
                   {{"src/selector/selector.hpp", ""},
                    {"policies/greedy.cpp", "#include \"src/selector/selector.hpp\"\n"}},
                   "policies/greedy.cpp:1: policies may not include selector (src/selector/selector.hpp)\n"},
        BrokenTree{"SelectorIncludesTheTool",
                   {{"src/cli/clock.hpp", ""}, {"src/selector/selector.cpp", "#include \"cli/clock.hpp\"\n"}},
                   "src/selector/selector.cpp:1: selector may not include cli (src/cli/clock.hpp)\n"},
        BrokenTree{"LayerIncludesTests",
                   {{"tests/helper.hpp", ""}, {"src/cli/main.cpp", "#include \"tests/helper.hpp\"\n"}},
                   "src/cli/main.cpp:1: cli may not include tests/helper.hpp, which is in no layer\n"},
        BrokenTree{"PublicIncludesThirdParty",
                   {{"include/adaptive/key.hpp", "#include <nlohmann/json.hpp>\n"}},
                   "include/adaptive/key.hpp:1: public may not include nlohmann_json (nlohmann/json.hpp)\n"},
        BrokenTree{"PublicIncludesThePlatform",
                   {{"include/adaptive/key.hpp", "#include <unistd.h>\n"}},
                   "include/adaptive/key.hpp:1: a public header includes only the C++ library and ours, not "
                   "unistd.h\n"},
        BrokenTree{
            "PublicIncludesPrivate",
            {{"src/base/index.hpp", ""}, {"include/adaptive/key.hpp", "#include \"base/index.hpp\"\n"}},
            "include/adaptive/key.hpp:1: public may not include base (src/base/index.hpp)\n"},
        BrokenTree{"PublicIncludesCuda",
                   {{"include/adaptive/key.hpp", "#include <cuda_runtime_api.h>\n"}},
                   "include/adaptive/key.hpp:1: public may not include CUDA (cuda_runtime_api.h)\n"},
        BrokenTree{
            "PublicIncludesPublicCuda",
            {{"include/adaptive/cuda.hpp", ""}, {"include/adaptive/all.hpp", "#include \"cuda.hpp\"\n"}},
            "include/adaptive/all.hpp:1: a header without CUDA may not include "
            "include/adaptive/cuda.hpp\n"},
        BrokenTree{"BaseIncludesCuda",
                   {{"src/base/index.cpp", "#include <cuda_runtime_api.h>\n"}},
                   "src/base/index.cpp:1: base may not include CUDA (cuda_runtime_api.h)\n"},
        BrokenTree{"UnknownDependency",
                   {{"src/table/file.cpp", "#include <rapidjson/document.h>\n"}},
                   "src/table/file.cpp:1: table includes rapidjson/document.h, which is no file of ours and "
                   "no known dependency\n"},
        BrokenTree{
            "OutsideTheInlineNamespace",
            {{"include/adaptive/key.hpp", "namespace adaptive::inline v1 {\n}\nnamespace adaptive {\n}\n"},
             {"src/base/index.cpp", "namespace adaptive::core {\n}\n"},
             {"kernels/family.hpp", "namespace adaptive::kernels {\n}\n"}},
            "include/adaptive/key.hpp:3: write `namespace adaptive::inline v1`\n"
            "src/base/index.cpp:1: write `namespace adaptive::inline v1`\n"},
        BrokenTree{"InNoLayer",
                   {{"src/other/file.cpp", "#include <vector>\n"}},
                   "src/other/file.cpp:1: the file is in no layer\n"},
        BrokenTree{"TooLong",
                   {{"tests/core/fine.cpp", lines(lines_max)}, {"tests/core/long.cpp", lines(lines_max + 1)}},
                   "tests/core/long.cpp:501: the file has 501 lines; the limit is 500\n"}),
    [](const ::testing::TestParamInfo<BrokenTree>& tree) { return tree.param.name; });

}  // namespace
}  // namespace adaptive::structure
