#include "tests/structure/private_names.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/structure/scratch_tree.hpp"

namespace adaptive::structure {
namespace {

TEST(PrivateNames, DifferBetweenTheFilesOfALibrary) {
  const std::vector<Violation> violations = check_private_names(ADAPTIVE_SOURCE_ROOT);
  EXPECT_TRUE(violations.empty()) << to_text(violations);
}

std::string names_in(const std::string& code) {
  std::string text;
  for (const PrivateName& name : private_names(code))
    text += name.scope + name.name + ":" + std::to_string(name.line) + " ";
  return text;
}

TEST(PrivateNames, AreThoseOfAnonymousNamespaces) {
  EXPECT_EQ(names_in("namespace adaptive::inline v1 {\n"
                     "int visible = 1;\n"
                     "namespace {\n"
                     "constexpr double share = 0.5, other = 1;\n"
                     "std::function<void(int)> called;\n"
                     "int table[3] = {1, 2, 3};\n"
                     "template <class T, int n = 2>\n"
                     "[[nodiscard]] T half(T value, int digits = 3) {\n"
                     "  int inner = 2;\n"
                     "  return value / inner;\n"
                     "}\n"
                     "class Shape final : public Base {\n"
                     "  int member = 0;\n"
                     "};\n"
                     "enum class Kind : int { a, b };\n"
                     "using Clock = std::chrono::steady_clock;\n"
                     "void Shape::area() {}\n"
                     "#define MACRO(x) x;\n"
                     "static_assert(share < 1);\n"
                     "}\n"
                     "void public_function() {}\n"
                     "}\n"),
            "adaptive::inline v1::share:4 adaptive::inline v1::called:5 adaptive::inline v1::table:6 "
            "adaptive::inline v1::half:8 adaptive::inline v1::Shape:12 adaptive::inline v1::Kind:15 "
            "adaptive::inline v1::Clock:16 ");
}

std::string in_namespace(const std::string& name, const std::string& code) {
  return "namespace " + name + " {\nnamespace {\n" + code + "\n}\n}\n";
}

TEST(PrivateNames, OfTwoFilesCollideInOneNamespaceAndInOneAroundIt) {
  const ScratchTree tree(Files{
      {"src/base/first.cpp", in_namespace("a", "int limit = 1;")},
      {"src/table/second.cpp", in_namespace("a", "bool limit() {}")},
      {"src/table/inner.cpp", in_namespace("a::b", "struct limit {};")},
      {"src/table/sibling.cpp", in_namespace("c", "int limit = 1;")},
      {"src/cli/another_library.cpp", in_namespace("a", "int limit = 1;")},
  });
  EXPECT_EQ(to_text(check_private_names(tree.root())),
            "src/table/inner.cpp:3: defines limit, a name that is private to src/base/first.cpp\n"
            "src/table/second.cpp:3: defines limit, a name that is private to src/base/first.cpp\n");
}

TEST(PrivateNames, OfFilesForDifferentCompilersDoNotCollide) {
  const std::string kernel = "__global__ void __launch_bounds__(4 * (8), 2) add(int n) {}";
  const ScratchTree tree(Files{
      {"kernels/family/cuda/first.cu", in_namespace("a", kernel)},
      {"kernels/family/cuda/second.cu", in_namespace("a", "__device__ int add(int n) {}")},
      {"kernels/family/cuda/host.cpp", in_namespace("a", "int add(int n) {}")},
  });
  EXPECT_EQ(to_text(check_private_names(tree.root())),
            "kernels/family/cuda/second.cu:3: defines add, a name that is private to "
            "kernels/family/cuda/first.cu\n");
}

TEST(PrivateNames, MayRepeatAnAliasOfTheSameType) {
  const ScratchTree tree(Files{
      {"src/base/first.cpp",
       in_namespace("a", "using Json = nlohmann::json;\nnamespace fs = std::filesystem;")},
      {"src/base/second.cpp",
       in_namespace("a", "using Json = nlohmann::json;\nnamespace fs = std::filesystem;")},
      {"src/base/third.cpp", in_namespace("a", "using Json = nlohmann::ordered_json;")},
  });
  EXPECT_EQ(to_text(check_private_names(tree.root())),
            "src/base/third.cpp:3: defines Json, a name that is private to src/base/first.cpp\n");
}

}  // namespace
}  // namespace adaptive::structure
