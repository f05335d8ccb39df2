#include "replay/environments/scenarios.hpp"

#include <utility>

#include "replay/environments/changing_sizes.hpp"

namespace adaptive::inline v1::replay {
namespace {

// Late enough for every policy to have settled before, early enough to see what it does afterwards.
constexpr std::size_t change_call = 3'000;

SyntheticOptions variants(std::size_t count, double spread) {
  SyntheticOptions options;
  options.variants = count;
  options.spread = spread;
  return options;
}

SyntheticOptions parameters(Likeness likeness) {
  SyntheticOptions options = variants(24, 4.0);
  options.likeness = likeness;
  return options;
}

SyntheticOptions heavy_tails() {
  SyntheticOptions options;
  options.noise.outlier_min = 50.0;
  options.noise.outlier_max = 50.0;
  return options;
}

SyntheticOptions cold_starts() {
  SyntheticOptions options;
  options.cold = 20.0;
  return options;
}

SyntheticOptions module_loads() {
  SyntheticOptions options;
  options.cold_ns = 1'000'000.0;
  return options;
}

SyntheticOptions changing(Change::Whose whose, double factor, std::size_t over = 1) {
  SyntheticOptions options;
  options.changes = {{change_call, whose, factor, over}};
  return options;
}

// Whoever runs in these calls takes three times as long: the first of them are the first looks of some.
SyntheticOptions bursts() {
  SyntheticOptions options;
  for (const auto& [begin, length] : {std::pair<std::size_t, std::size_t>{2, 4}, {60, 10}, {3'000, 50}}) {
    options.changes.push_back({begin, Change::Whose::all, 3.0});
    options.changes.push_back({begin + length, Change::Whose::all, 1.0 / 3.0});
  }
  return options;
}

// A run must not believe for good what it measured in one of the slow calls.
SyntheticOptions lock_in() {
  SyntheticOptions options = variants(2, 2.5);
  options.least_ns = 12'000.0;
  options.interference = {1'000, 5, 3.0};
  options.noise.outlier_share = 0.0;
  return options;
}

}  // namespace

std::unique_ptr<Environment> environment_of(const Scenario& scenario) {
  if (scenario.changing_sizes) return std::make_unique<ChangingSizes>();
  return std::make_unique<Synthetic>(scenario.environment);
}

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"steady", "K = 8, slowest 2× the fastest", variants(8, 2.0)},
      {"many", "K = 24, slowest 4× the fastest", variants(24, 4.0)},
      {"close", "K = 8, slowest 1.05× the fastest", variants(8, 1.05)},
      {"alike", "K = 24, slowest 4×, variants with like parameters take about as long",
       parameters(Likeness::real)},
      {"seemingly alike", "as many, with parameters that say nothing", parameters(Likeness::apparent)},
      {"one apart", "K = 24, parameters that say nothing, all but one take 3 to 4 times as long as that",
       parameters(Likeness::broken)},
      {"outliers", "as steady, every outlier 50×", heavy_tails()},
      {"cold", "as steady, the first launch of every variant costs 20×", cold_starts()},
      {"module loads", "as steady, the first launch of every variant takes 1 ms more", module_loads()},
      {"delayed", "as steady, results 100 to 400 calls late, out of order", variants(8, 2.0), {100, 400}},
      {"lossy", "as steady, a tenth of the results lost, a tenth twice", variants(8, 2.0), {0, 8, 0.1, 0.1}},
      {"best slower",
       "as steady, the best becomes 1.5× slower at call 3,000",
       changing(Change::Whose::best, 1.5),
       {},
       change_call},
      {"best slower and slower",
       "as steady, the best becomes 1.5× slower from call 3,000 to 5,000",
       changing(Change::Whose::best, 1.5, 2'000),
       {},
       change_call},
      {"all slower",
       "as steady, all become 1.5× slower at call 3,000",
       changing(Change::Whose::all, 1.5),
       {},
       change_call},
      {"third faster",
       "as steady, the third becomes 1.5× faster, hence the best, at call 3,000",
       changing(Change::Whose::third, 1.0 / 1.5),
       {},
       change_call},
      {"bursts", "as steady, whoever runs in calls 2 to 5, 60 to 69 and 3,000 to 3,049 takes 3×", bursts()},
      {"seeded",
       "K = 24, slowest 4×, a table of this device that is 2 % off",
       variants(24, 4.0),
       {},
       {},
       SeedTable{}},
      {"foreign seeds",
       "as seeded, a table of another device: 10 % off and all 1.6× too high",
       variants(24, 4.0),
       {},
       {},
       SeedTable{0.1, 1.6, false}},
      {"wrong seeds",
       "as seeded, a table that claims this device and is off by 50 %",
       variants(24, 4.0),
       {},
       {},
       SeedTable{0.5, 1.0, true}},
      {"garbage seeds",
       "as seeded, a table that claims this device and is off by a factor of e",
       variants(24, 4.0),
       {},
       {},
       SeedTable{1.0, 1.0, true}},
      {"lock-in",
       "two variants of 30 and 12 µs; in 5 successive calls of every 1,000 both take three times as long",
       lock_in()},
      {"changing sizes",
       "a product by a formula: 1 to 16,384 tokens, log-uniform and another number in nearly every call; "
       "four "
       "weights, 20 tiles, noise of 3 %",
       {},
       {},
       {},
       {},
       true},
  };
  return all;
}

}  // namespace adaptive::replay
