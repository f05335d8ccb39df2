// Folded coefficients give what the features times the coefficients give.
#include "learning/model/folded_weights.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/random.hpp>
#include "learning/model/parameter_space.hpp"

namespace adaptive::core {
namespace {

struct Case {
  const char* name;
  std::vector<Dimension> dimensions;
  std::vector<std::string> variants;
};

std::vector<Case> cases() {
  std::vector<std::string> tiles;
  std::vector<std::string> many;
  for (const int m : {16, 32, 64, 128, 256})
    for (const int n : {64, 128}) tiles.push_back(std::to_string(m) + "x" + std::to_string(n) + "x64_w4");
  for (int i = 0; i < 90; ++i) many.push_back(std::to_string(16 + i) + "x" + std::to_string(200 - i));
  const std::vector<Dimension> product = {size_dimension("tokens"), size_dimension("n"), size_dimension("k")};
  return {
      {"tiles of a product", product, tiles},
      {"a further size and labels",
       {size_dimension("batch"), size_dimension("n"), size_dimension("k"), size_dimension("groups"),
        label_dimension("type", {"half", "single"}), linear_dimension("share"),
        set_dimension("bits", {"2", "4", "8"})},
       tiles},
      {"more sides than are tabulated", product, many},
      {"no tiles", product, {"simple", "cublas_3", "cublas_4"}},
      {"an only variant", product, {"64x128x32"}},
  };
}

void expect_agreement(const Case& test, bool estimated, Random& random) {
  SCOPED_TRACE(test.name);
  std::vector<Tiles> tiles;
  const std::vector<std::string_view> names(test.variants.begin(), test.variants.end());
  for (const std::string& name : test.variants) tiles.push_back(tiles_of({.name = name}, test.dimensions));
  Key reference = Key::of_size(test.dimensions.size());
  for (std::size_t d = 0; d < reference.size(); ++d)
    reference[d] = test.dimensions[d].labels.empty() ? 1024 : 0;
  const ModelFeatures features(test.dimensions, parameter_space(names), tiles, 132.0, estimated, reference);
  Eigen::VectorXd weights(static_cast<Eigen::Index>(features.size()));
  for (double& w : weights) w = random.uniform() - 0.5;
  const FoldedWeights folded(features, weights);
  ASSERT_EQ(folded.variants(), test.variants.size());
  std::vector<double> row(features.shared() + features.own());
  std::vector<double> scores(test.variants.size());
  std::vector<float> costs(test.variants.size());
  for (int trial = 0; trial < 200; ++trial) {
    Key key = reference;
    for (std::size_t d = 0; d < key.size(); ++d)
      key[d] = test.dimensions[d].labels.empty()
                   ? static_cast<std::int64_t>(std::exp(random.uniform() * 12.0)) - (trial == 0 ? 1 : 0)
                   : static_cast<std::int64_t>(random.below(2));
    ModelFeatures::Point point = features.point(key);
    for (float& cost : costs) cost = static_cast<float>(random.uniform());
    if (estimated) point.log_cost = costs;
    folded.score(point, scores);
    for (std::size_t v = 0; v < scores.size(); ++v) {
      features.fill(point, v, row.data());
      double expected = features.offset(point, v);
      for (std::size_t i = 0; i < features.shared(); ++i)
        expected += row[i] * weights(static_cast<Eigen::Index>(i));
      for (std::size_t i = 0; i < features.own(); ++i)
        expected += row[features.shared() + i] *
                    weights(static_cast<Eigen::Index>(features.shared() + v * features.own() + i));
      ASSERT_NEAR(folded.common(point) + scores[v], expected, 1e-9) << test.variants[v];
    }
  }
}

TEST(FoldedWeights, AgreeWithTheFeatures) {
  Random random(1);
  for (const bool estimated : {false, true})
    for (const Case& test : cases()) expect_agreement(test, estimated, random);
}

}  // namespace
}  // namespace adaptive::core
