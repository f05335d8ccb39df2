// Tests operations made from GPU families, with a family that needs no GPU.
#include "tuning/cuda_operation.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>

#include "tests/selector/scratch_folder.hpp"

namespace adaptive::inline v1::tuning {
namespace {

using kernels::Shape;

// The variants are "default" and "lib_<n>". For each shape, the library reports two of the latter: lib_<m>
// and lib_<m + 1>.
class Library final : public kernels::cuda::Family {
 public:
  Library()
      : Family("library",
               {{"m", kernels::Dimension::Kind::size}, {"kind", kernels::Dimension::Kind::label, {"x", "y"}}},
               {make("default")}) {}
  std::optional<std::size_t> parse(
      std::string_view name, const std::vector<std::pair<std::string, kernels::Parameter>>&) const override {
    if (!name.starts_with("lib_")) return find_variant(name);
    return find_or_add(make(std::string(name)));
  }
  std::vector<std::size_t> candidates(const Shape& shape) const override {
    asked.fetch_add(1);
    return {*find_or_add(make("lib_" + std::to_string(shape[0]))),
            *find_or_add(make("lib_" + std::to_string(shape[0] + 1))), 0};
  }
  std::optional<std::string> why_invalid(const Shape&) const override { return std::nullopt; }
  std::unique_ptr<kernels::cuda::Problem> make_problem(const Shape&,
                                                       kernels::cuda::ProblemOptions) const override {
    return nullptr;
  }
  void release(kernels::cuda::Stream) const override {}
  std::vector<Shape> test_shapes() const override { return {}; }
  std::vector<Shape> bench_shapes() const override { return {}; }
  std::vector<std::pair<std::string, std::string>> libraries() const override { return {{"lib", "1.2"}}; }

  mutable std::atomic<int> asked{0};

 private:
  static kernels::Variant make(std::string name) {
    return {.name = std::move(name),
            .parameters = {{"number", std::int64_t{7}}},
            .numeric_class = "c",
            .available = [] { return true; },
            .supports = [](const Shape&) { return true; }};
  }
};

SelectorOptions options(std::filesystem::path table = {}) {
  SelectorOptions result{.device = {.device = "Test Device 1"}, .use_environment = false};
  if (!table.empty()) result.tables.places = {std::move(table)};
  return result;
}

std::string running(const CudaOperation& bridge, const Key& key) {
  return bridge.family().variant(bridge.family_variant(bridge.operation().select(key).variant())).name;
}

TEST(CudaOperation, TakesTheLibrarysCandidatesKeyByKey) {
  const Library library;
  Selector selector(options());
  const CudaOperation bridge(selector, library);
  EXPECT_EQ(bridge.operation().variant_count(), 1u);
  EXPECT_EQ(running(bridge, {30, 0}), "lib_30");
  EXPECT_EQ(bridge.operation().explain({30, 0}).candidates.size(), 3u);
  EXPECT_EQ(running(bridge, {3000, 1}), "lib_3000");
  EXPECT_EQ(bridge.operation().variant_count(), 5u);
  for (std::uint32_t v = 0; v < 5; ++v) {
    const Variant variant = bridge.operation().variant(v);
    EXPECT_EQ(library.variant(bridge.family_variant(v)).name, variant.name);
    EXPECT_EQ(bridge.operation_variant(bridge.family_variant(v)), v);
    EXPECT_EQ(variant.parameters.at("number"), Parameter(7));
  }
  EXPECT_EQ(library.asked.load(), 2);
}

TEST(CudaOperation, NumbersItsVariantsApartFromTheFamilys) {
  const Library library;
  library.candidates({500, 0});  // another part of the process meets these variants
  Selector selector(options());
  const CudaOperation bridge(selector, library);
  EXPECT_EQ(running(bridge, {30, 0}), "lib_30");
  const CudaOperation again(selector, library);
  EXPECT_EQ(&again.operation(), &bridge.operation());
  for (std::uint32_t v = 0; v < again.operation().variant_count(); ++v)
    EXPECT_EQ(again.family_variant(v), bridge.family_variant(v));
  EXPECT_EQ(again.family_variant(60'000), 0u);
}

TEST(CudaOperation, UsesATablesVariantThatTheLibraryDoesNotTellHere) {
  const test::ScratchFolder folder;
  const std::filesystem::path path = folder / "t.json";
  {
    const Library library;
    Selector selector(options());
    const CudaOperation bridge(selector, library);
    // Simulates another version of the library, which reported this variant for the key.
    const std::size_t odd = *library.parse("lib_9999", {});
    bridge.operation().select({30, 0});
    bridge.operation().select({9999, 0});
    for (int i = 0; i < 50; ++i) {
      bridge.operation().record({9999, 0}, bridge.operation_variant(odd), Latency(100.0 + i % 3));
      bridge.operation().record({9999, 0}, 0, Latency(200.0 + i % 3));
    }
    selector.save(path);
  }
  const Library library;
  Selector selector(options(path));
  const CudaOperation bridge(selector, library);
  EXPECT_TRUE(bridge.operation().find_variant("lib_9999")) << "parsed before any key asked for it";
  EXPECT_EQ(library.asked.load(), 0);
  EXPECT_EQ(running(bridge, {9999, 0}), "lib_9999");
  EXPECT_EQ(bridge.operation().explain({9999, 0}).match.kind, MatchKind::exact);
}

TEST(CudaOperation, PassesTheNumericClassesOn) {
  const Library library;
  Selector selector(options());
  const CudaOperation bridge(selector, library);
  EXPECT_EQ(running(bridge, {30, 0}), "lib_30");
  for (std::uint32_t v = 0; v < bridge.operation().variant_count(); ++v)
    EXPECT_EQ(bridge.operation().variant(v).numeric_class, "c");
}

TEST(CudaOperation, GrowsFromManyThreads) {
  const Library library;
  Selector selector(options());
  const CudaOperation bridge(selector, library);
  const auto caller = [&](std::int64_t first) {
    for (std::int64_t m = first; m < first + 100; ++m)
      EXPECT_EQ(bridge.family()
                    .variant(bridge.family_variant(bridge.operation().site({m, 0}).select().variant()))
                    .name.substr(0, 4),
                "lib_");
  };
  std::thread other(caller, 50);
  caller(1);
  other.join();
  EXPECT_EQ(bridge.operation().variant_count(), 1u + 150u);
}

TEST(CudaOperation, AddsTheLibrarysVersionsToTheFingerprint) {
  EXPECT_EQ(with_libraries({.device = "d"}, Library()).libraries.at("lib"), "1.2");
}

TEST(CudaOperation, ConvertsAShapeToAKeyAndBack) {
  EXPECT_EQ(shape_of(key_of({3, 1})), (Shape{3, 1}));
}

}  // namespace
}  // namespace adaptive::tuning
