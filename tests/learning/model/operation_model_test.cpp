// The model over all keys of an operation.
#include "learning/model/operation_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include <adaptive/dimension.hpp>
#include "learning/model/parameter_space.hpp"
#include "tests/learning/noise.hpp"

namespace adaptive::core {
namespace {

const std::vector<Dimension> product_dimensions = {size_dimension("tokens"), size_dimension("n"),
                                                   size_dimension("k")};
const std::vector<std::string> tile_names = {"16x64", "32x64", "64x64", "128x64", "64x128", "128x128"};

// A product whose blocks run in waves on 132 multiprocessors.
double log_latency(const Key& key, std::size_t variant) {
  const std::vector<Tiles> tiles = {{16, 64, 0},  {32, 64, 0},  {64, 64, 0},
                                    {128, 64, 0}, {64, 128, 0}, {128, 128, 0}};
  const Tiles& tile = tiles[variant];
  const double blocks =
      std::ceil(static_cast<double>(key[0]) / tile[0]) * std::ceil(static_cast<double>(key[1]) / tile[1]);
  const double waves = std::ceil(blocks / 132.0);
  return std::log(4'000.0 +
                  waves * (300.0 + 2.0 * tile[0] * tile[1] * static_cast<double>(key[2]) / 5'000.0));
}

ModelShape shape() {
  ModelShape result;
  result.dimensions = product_dimensions;
  const std::vector<std::string_view> views(tile_names.begin(), tile_names.end());
  result.space = parameter_space(views);
  for (const std::string& name : tile_names)
    result.tiles.push_back(tiles_of({.name = name}, product_dimensions));
  result.multiprocessors = 132.0;
  result.seed = 1;
  return result;
}

std::vector<std::uint32_t> all_variants() {
  std::vector<std::uint32_t> all(tile_names.size());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

std::vector<MeasuredKey> measured(std::size_t count, std::size_t variants_each, std::uint64_t seed) {
  Random random(seed);
  std::vector<MeasuredKey> keys;
  while (keys.size() < count) {
    const auto tokens = static_cast<std::int64_t>(std::exp(random.uniform() * std::log(8'192.0)));
    const Key key = {tokens, random.below(2) == 0 ? 4'096 : 14'336, 4'096};
    if (std::any_of(keys.begin(), keys.end(), [&](const MeasuredKey& k) { return k.key == key; })) continue;
    MeasuredKey one{key, {}};
    for (std::size_t i = 0; i < variants_each; ++i) {
      const auto variant = static_cast<std::uint32_t>((keys.size() + i) % tile_names.size());
      const double noisy_ns = test::noisy(random, std::exp(log_latency(key, variant)), 0.02);
      one.results.push_back({variant, std::log(noisy_ns), 0.02 * 0.02});
    }
    keys.push_back(std::move(one));
  }
  return keys;
}

TEST(Tiles, AreReadFromNamesAndParameters) {
  EXPECT_EQ(tiles_of({.name = "64x128x32_w4"}, product_dimensions), (Tiles{64, 128, 32}));
  EXPECT_EQ(
      tiles_of({.name = "v", .parameters = {{"BLOCK_SIZE_N", 256}, {"tile_m", 32}}}, product_dimensions),
      (Tiles{32, 256, 0}));
  EXPECT_EQ(tiles_of({.name = "cublaslt_rank3"}, product_dimensions), (Tiles{0, 0, 0}));
  const std::vector<Dimension> other = {size_dimension("height"), size_dimension("width")};
  EXPECT_EQ(tiles_of({.name = "8x16"}, other), (Tiles{8, 16})) << "by order where tile_names say nothing";
}

TEST(OperationModel, PredictsKeysThatItHasNotSeen) {
  const OperationModel before(shape());
  const OperationModel model(shape(), measured(80, 2, 3), {}, before);
  double chosen = 0.0;
  double by_default = 0.0;
  const std::vector<MeasuredKey> others = measured(60, 1, 99);
  for (const MeasuredKey& other : others) {
    std::vector<double> truth;
    for (std::size_t v = 0; v < tile_names.size(); ++v) truth.push_back(log_latency(other.key, v));
    const double least = *std::min_element(truth.begin(), truth.end());
    chosen +=
        std::exp(truth[model.decide(other.key, all_variants())] - least) / static_cast<double>(others.size());
    by_default += std::exp(truth[0] - least) / static_cast<double>(others.size());
  }
  EXPECT_LT(chosen, 1.05);
  EXPECT_LT(chosen - 1.0, 0.5 * (by_default - 1.0));
  EXPECT_LT(model.own_error(), 0.1);
}

// The overhead of decisions at keys that the model has not seen.
double overhead(const OperationModel& model, bool exact) {
  double sum = 0.0;
  const std::vector<MeasuredKey> others = measured(60, 1, 99);
  for (const MeasuredKey& other : others) {
    std::vector<double> truth;
    std::vector<float> costs;
    for (std::size_t v = 0; v < tile_names.size(); ++v) {
      truth.push_back(log_latency(other.key, v));
      costs.push_back(exact ? static_cast<float>(truth[v] + 3.0)
                            : static_cast<float>(other.key[0] * static_cast<std::int64_t>(v + 7) % 5));
    }
    sum += std::exp(truth[model.fastest(other.key, all_variants(), costs)] -
                    *std::min_element(truth.begin(), truth.end())) -
           1.0;
  }
  return sum / static_cast<double>(others.size());
}

TEST(OperationModel, TrustsAnEstimateAsFarAsItIsRight) {
  for (const bool exact : {true, false}) {
    ModelShape estimated = shape();
    estimated.estimated = true;
    std::vector<MeasuredKey> keys = measured(exact ? 12 : 200, 2, 3);
    for (MeasuredKey& key : keys)
      for (Measured& m : key.results)
        m.log_cost = exact ? static_cast<float>(log_latency(key.key, m.variant) + 3.0)
                           : static_cast<float>(key.key[0] * (m.variant + 7) % 5);
    const OperationModel before(estimated);
    OperationModel model(estimated, keys, {}, before);
    for (int i = 0; i < 3; ++i) model = OperationModel(estimated, keys, {}, model);
    EXPECT_LT(overhead(model, exact), exact ? 0.005 : 0.06) << exact;
  }
}

// What is expected of a key is what a model without its results says, in closed form.
TEST(OperationModel, LeavesTheKeyItselfOut) {
  const OperationModel before(shape());
  std::vector<MeasuredKey> keys = measured(30, 3, 5);
  const OperationModel with(shape(), keys, {}, before);
  const Key left_out = keys.back().key;
  keys.pop_back();
  const OperationModel without(shape(), keys, {}, before);
  const Expectations a = with.expectations(left_out, all_variants());
  const Expectations b = without.expectations(left_out, all_variants());
  for (std::size_t v = 0; v < tile_names.size(); ++v)
    EXPECT_NEAR(a.location[v] - a.location[0], b.location[v] - b.location[0], 1e-3) << tile_names[v];
}

TEST(OperationModel, ExpectsNothingOfAnOnlyKeyButWhatVariantsDifferBy) {
  const OperationModel before(shape());
  const OperationModel model(shape(), measured(1, 4, 5), {}, before);
  const Expectations expected = model.expectations(measured(1, 4, 5).front().key, all_variants());
  for (const float location : expected.location) EXPECT_EQ(location, 0.0F);
}

TEST(OperationModel, KnowsNothingOfVariantsThatItHasNot) {
  const OperationModel before(shape());
  const OperationModel model(shape(), measured(20, 2, 3), {}, before);
  std::vector<std::uint32_t> more = all_variants();
  more.push_back(17);
  const Expectations expected = model.expectations({64, 4'096, 4'096}, more);
  ASSERT_EQ(expected.location.size(), more.size());
  EXPECT_TRUE(std::isfinite(expected.location.back()));
  EXPECT_NE(model.decide({64, 4'096, 4'096}, more), more.size() - 1);
}

TEST(Table, ConditionsTheCandidatesThatItNames) {
  const OperationModel model(shape());
  Expectations expected = model.usual_expectations(all_variants());
  std::vector<double> location(tile_names.size(), std::nan(""));
  location[2] = 9.0;
  location[3] = 9.5;
  condition(expected, location, std::vector<double>(tile_names.size(), 1e-4), 0.1, {});
  EXPECT_NEAR(expected.location[2], 9.0, 0.02);
  EXPECT_NEAR(expected.location[3], 9.5, 0.02);
  EXPECT_GT(expected.location[0], 8.9F);
  EXPECT_EQ(expected.level_deviation, 0.1);
}

}  // namespace
}  // namespace adaptive::core
