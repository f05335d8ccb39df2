// The code by which the interface was agreed, word for word, because these names are fixed. The
// surrounding code makes it a program.
#include <adaptive/adaptive.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>

#include "tests/selector/scratch_folder.hpp"

namespace {

bool divisible_by_64(const adaptive::Key& key) {
  return key[1] % 64 == 0;
}

TEST(Design, FirstCodeBlockRuns) {
  const adaptive::test::ScratchFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());

  struct Problem {
  } problem;
  int launched = 0;
  const std::function<void(const Problem&)> kernels[] = {[&](const Problem&) { ++launched; },
                                                         [&](const Problem&) { ++launched; }};
  const int tokens = 17;
  const std::int64_t out = 4096;
  const unsigned in = 14336;

  // clang-format off
adaptive::Selector selector({.device = adaptive::host_device(),
                             .tables = adaptive::TableSearch::standard()});

adaptive::Operation& matmul = selector.define({
    .name = "mixed_bit_matmul",
    .dimensions = {{"tokens"}, {"out_features"}, {"in_features"},
                   adaptive::set_dimension("bits", {"2", "3", "4", "8"})},
    .variants = {{.name = "reference"},       // the first is the default
                 {.name = "tile64", .parameters = {{"tile", 64}}, .supports = divisible_by_64}}});

  const auto bits = matmul.labels("bits", {"4", "2"});

adaptive::Decision decision = matmul.select({tokens, out, in, bits});   // wait-free, noexcept
auto begin = std::chrono::steady_clock::now();
kernels[decision.variant()](problem);
matmul.record(decision, std::chrono::steady_clock::now() - begin);      // any thread, any order, or never

selector.save("adapted.json");                // the table to ship next time
  // clang-format on

  std::filesystem::current_path(before);
  EXPECT_EQ(launched, 1);
  EXPECT_NE(folder.read("adapted.json").find("mixed_bit_matmul"), std::string::npos);
}

TEST(Design, ThePartOfTheSecondCodeBlockThatNeedsNoDeviceRuns) {
  adaptive::Selector selector({.use_environment = false});
  adaptive::Operation& gemm = selector.define({.name = "gemm",
                                               .dimensions = {{"m"}, {"n"}, {"k"}, {"groups"}},
                                               .variants = {{.name = "a"}, {.name = "b"}}});
  const int m = 1, n = 2, k = 3, groups = 4;
  int graph = 0;
  const auto capture = [](int& captured, std::uint32_t variant) { captured = static_cast<int>(variant) + 1; };
  const auto recapture = [] { FAIL() << "nothing has changed"; };

  // clang-format off
adaptive::Pin pin = gemm.pin({m, n, k, groups});    // for stream capture: the incumbent, no exploration
capture(graph, pin.variant());
if (pin.stale()) recapture();                 // the incumbent has changed since
  // clang-format on

  EXPECT_EQ(graph, 1);
}

TEST(Design, WhatTheTextNamesExists) {
  adaptive::Selector selector({.use_environment = false});
  adaptive::Operation& matmul =
      selector.define({.name = "matmul", .dimensions = {{"m"}}, .variants = {{.name = "a"}}});
  const adaptive::Site site = matmul.site({8});
  const adaptive::Decision decision = site.select();
  if (decision.timed()) matmul.fail(decision);
  EXPECT_FALSE(matmul.explain({8}).text().empty());
  EXPECT_EQ(adaptive::run(matmul, {8}, [](std::uint32_t variant) { return variant; }), 0u);
  const adaptive::Latency latency(1.0);
  static_assert(noexcept(matmul.select({8})));
  static_assert(noexcept(matmul.record(decision, latency)));
  static_assert(noexcept(matmul.pin({8})));
  static_assert(noexcept(matmul.fail(decision)));
  static_assert(noexcept(site.select()));
}

}  // namespace
