// This example shows two launches that must share a parameter. They are chosen together, by the sum of their
// costs. The up and the down projection of a layer read the same blocks of tokens, so both must use the same
// block size, but the best block size of each alone differs.
//
// The latencies in this example come from a table and timing them costs nothing, so that the output is the
// same on every machine.

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <vector>

#include <adaptive/adaptive.hpp>
#include <adaptive/joint.hpp>

int main() {
  const std::vector<adaptive::Variant> up = {{.name = "up16", .parameters = {{"block_m", 16}}},
                                             {.name = "up64", .parameters = {{"block_m", 64}}}};
  const std::vector<adaptive::Variant> down = {{.name = "down16", .parameters = {{"block_m", 16}}},
                                               {.name = "down64", .parameters = {{"block_m", 64}}}};
  constexpr std::array<double, 2> up_us = {40.0, 45.0};
  constexpr std::array<double, 2> down_us = {60.0, 30.0};

  const adaptive::JointVariants pairs = adaptive::joint_variants(up, down, "block_m");
  adaptive::Selector selector({.seed = 7, .learning = {.timing_cost = std::chrono::nanoseconds(1)}});
  adaptive::Operation& layer =
      selector.define({.name = "layer", .dimensions = {{"tokens"}}, .variants = pairs.variants});

  adaptive::Random noise(1);
  const auto launch = [&](double us) {
    return std::chrono::duration<double, std::micro>(us * (0.99 + 0.02 * noise.uniform()));
  };
  for (int call = 0; call < 1000; ++call) {
    adaptive::JointLaunch both(layer, layer.select({256}));
    const auto [first, second] = pairs.parts[both.variant()];
    both.add(launch(up_us[first]));
    // A program would run its activation here; it is not part of the cost of the pair.
    both.add(launch(down_us[second]));  // the last part: the sum is recorded
  }
  std::printf("up alone would run up16, down alone down64; together: %s\n",
              layer.explain({256}).incumbent.c_str());
}
