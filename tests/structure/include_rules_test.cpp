#include "tests/structure/include_rules.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/structure/scratch_tree.hpp"

namespace adaptive::structure {
namespace {

TEST(Includes, AreThereForWhatTheTreeUses) {
  const std::vector<Violation> violations = check_includes(ADAPTIVE_SOURCE_ROOT);
  EXPECT_TRUE(violations.empty()) << to_text(violations);
}

TEST(Includes, AreAcceptedByWayOfOtherFilesOfTheTree) {
  const ScratchTree tree(Files{
      {"src/base/text.hpp",
       "#include <string>\n\nstd::string joined(int count);\nstruct Sizes {\n  int all;\n};\n"},
      {"src/base/text.cpp",
       "#include \"base/text.hpp\"\n\nstd::string joined(int count) {\n  return {};\n}\n"},
      {"src/table/file.hpp", "#include \"base/text.hpp\"\n"},
      {"src/table/file.cpp",
       "#include \"table/file.hpp\"\n\n#include <algorithm>\n\n"
       "int f() {\n  Sizes sizes;\n  return std::max(sizes.all, int(joined(2).size()));\n}\n"},
  });
  EXPECT_EQ(to_text(check_includes(tree.root())), "");
}

TEST(Includes, OfTheLibrariesAreMissed) {
  const ScratchTree tree(Files{
      {"src/base/model.cpp",
       "#include <map>\n\n// std::regex\nstd::map<int, int> sizes;\nauto least = std::min(1, 2);\n"
       "Eigen::VectorXd weights;\nconst char* text = \"std::thread\";\n"},
  });
  EXPECT_EQ(to_text(check_includes(tree.root())),
            "src/base/model.cpp:5: uses std::min without <algorithm>\n"
            "src/base/model.cpp:6: uses Eigen:: without its header\n");
}

TEST(Includes, OfTheTreeAreMissed) {
  const ScratchTree tree(Files{
      {"src/base/text.hpp", "int width_of(int count);\nstruct Sizes {\n  int all;\n};\nusing Width = int;\n"},
      {"src/table/types.cpp", "Sizes sizes;\n"},
      {"src/table/alias.cpp", "Width width = 1;\n"},
      {"src/table/calls.cpp", "int f() {\n  return width_of(3);\n}\n"},
      {"src/table/members.cpp",
       "int g(Other& other) {\n  return other.width_of(3) + std::width_of(3) + Class::width_of(3);\n}\n"},
      {"src/table/own.cpp",
       "int width_of(int count) {\n  return count;\n}\nint h() {\n  return width_of(3);\n}\n"},
  });
  EXPECT_EQ(to_text(check_includes(tree.root())),
            "src/table/alias.cpp:1: uses Width without \"src/base/text.hpp\"\n"
            "src/table/calls.cpp:2: uses width_of without \"src/base/text.hpp\"\n"
            "src/table/types.cpp:1: uses Sizes without \"src/base/text.hpp\"\n");
}

TEST(Includes, OfTheHeaderOfTheSameNameIsRequired) {
  const ScratchTree tree(
      {{"src/base/text.hpp", ""}, {"src/base/text.cpp", "int x;\n"}, {"src/base/alone.cpp", ""}});
  EXPECT_EQ(to_text(check_includes(tree.root())),
            "src/base/text.cpp:1: does not include src/base/text.hpp\n");
}

TEST(SourceText, HasSpacesForCommentsAndLiterals) {
  EXPECT_EQ(without_comments_and_literals("a // b\nc /* d\ne */ f"), "a     \nc     \n     f");
  EXPECT_EQ(without_comments_and_literals(R"(x = "a\"b//" + 'c' + 1'000;)"),
            R"(x = "      " + ' ' + 1'000;)");
  EXPECT_EQ(without_comments_and_literals("y = R\"re(\"//)re\" + z;"), "y = R\"         \" + z;");
}

}  // namespace
}  // namespace adaptive::structure
