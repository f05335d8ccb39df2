// A controlled trial of the model against the default.
#include "learning/model/model_trial.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/statistics/normal.hpp"

namespace adaptive::core {
namespace {

using Arm = ModelTrial::Arm;

struct Course {
  double by_model = 0.0;  // calls
  double lost = 0.0;      // log latency against the default, summed
};

// `gain`: log latency by which the model's choices are faster. `bias`: by how much all expectations are off.
Course play(ModelTrial& trial, Random& random, double gain, int calls, double bias = 0.3) {
  Course course;
  for (int call = 0; call < calls; ++call) {
    const Arm arm = trial.assign(random, std::max(0.0, std::expm1(gain)));
    const double truth = arm == Arm::model ? -gain : 0.0;
    course.by_model += arm == Arm::model ? 1.0 : 0.0;
    course.lost += truth;
    trial.add(arm, bias + truth + 0.1 * normal(random));
  }
  return course;
}

TEST(ModelTrial, ProvesAModelThatIsFasterWhateverItExpects) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ModelTrial trial;
    Random random(seed);
    EXPECT_FALSE(trial.proven());
    play(trial, random, 0.15, 200);
    EXPECT_TRUE(trial.proven());
    EXPECT_GT(play(trial, random, 0.15, 5'000).by_model, 4'850.0);
  }
}

TEST(ModelTrial, RunsTheDefaultWhereTheModelIsSlower) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ModelTrial trial;
    Random random(seed);
    play(trial, random, -0.2, 500);
    EXPECT_FALSE(trial.proven());
    const Course later = play(trial, random, -0.2, 5'000);
    EXPECT_LT(later.lost / 5'000.0, 0.002);
    EXPECT_GT(later.by_model, 5.0) << "the model may become better";
  }
}

TEST(ModelTrial, LosesItsProof) {
  ModelTrial trial;
  Random random(3);
  play(trial, random, 0.15, 3'000);
  ASSERT_TRUE(trial.proven());
  play(trial, random, -0.15, 1'500);
  EXPECT_FALSE(trial.proven());
}

TEST(ModelTrial, IsNotDecidedByAnOutlier) {
  ModelTrial trial;
  Random random(3);
  play(trial, random, 0.15, 500);
  ASSERT_TRUE(trial.proven());
  trial.add(Arm::model, 4.0);
  EXPECT_TRUE(trial.proven());
}

}  // namespace
}  // namespace adaptive::core
