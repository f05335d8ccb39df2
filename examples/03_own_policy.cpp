// This example shows a policy of the program's own. A policy decides which variant a key tries next, and only
// needs `choose`. Statistics, late and lost results, failures, promotion and tables are handled by the
// library.
//
// The latencies in this example come from a formula, so that the output is the same on every machine.

#include <chrono>
#include <cstdint>
#include <cstdio>

#include <adaptive/adaptive.hpp>

namespace {

/// Runs the candidates in turn until each has three results. Then runs the leader, and in one of 50 calls a
/// random candidate.
class TakeTurns final : public adaptive::Policy {
 public:
  adaptive::Choice choose(const adaptive::KeyStatistics& key, adaptive::Random& random) noexcept override {
    for (std::uint32_t candidate = 0; candidate < key.size(); ++candidate)
      if (key[candidate].available && key[candidate].count + key[candidate].pending < 3) return {candidate};
    if (random.uniform() < 0.02) {
      const std::uint32_t candidate = random.below(static_cast<std::uint32_t>(key.size()));
      if (key[candidate].available) return {candidate};
    }
    return {key.leader()};
  }
};

/// The latency of a launch: a large tile is efficient, but wasteful if the problem does not fill it. The
/// noise is 2 %.
adaptive::Latency launch(std::int64_t tile, std::int64_t size, adaptive::Random& noise) {
  using namespace std::chrono_literals;
  const double padded = static_cast<double>((size + tile - 1) / tile * tile);
  const double efficiency = 1.0 + 6.0 / static_cast<double>(tile);
  return adaptive::Latency(1us) * padded * efficiency * (0.98 + 0.04 * noise.uniform());
}

}  // namespace

int main() {
  adaptive::Selector selector({.seed = 7, .policy = adaptive::policy_of<TakeTurns>()});
  adaptive::Operation& operation = selector.define({
      .name = "tiled",
      .dimensions = {{"size"}},
      .variants = {{.name = "tile8"}, {.name = "tile32"}, {.name = "tile128"}},
  });
  constexpr std::int64_t tiles[] = {8, 32, 128};

  adaptive::Random noise(1);
  for (int call = 0; call < 1000; ++call)
    for (const std::int64_t size : {40, 130, 640}) {
      const adaptive::Decision decision = operation.select({size});
      operation.record(decision, launch(tiles[decision.variant()], size, noise));
    }
  for (const std::int64_t size : {40, 130, 640}) {
    const adaptive::Explanation why = operation.explain({size});
    std::printf("size %3d: %-7s explored %.1f %% of the calls, lost %.2f %% of the time\n",
                static_cast<int>(size), why.incumbent.c_str(), 100 * why.explored_share,
                100 * why.lost_share);
  }

  // A policy of the library is created by its name.
  std::printf("in the library:");
  for (const std::string_view name : adaptive::policy_names())
    std::printf(" %.*s", static_cast<int>(name.size()), name.data());
  std::printf("\n");
}
