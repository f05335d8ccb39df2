// Tests which options a selector refuses.
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/selector/support.hpp"

namespace adaptive {
namespace {

template <class F>
void expect_refused(F&& change, const std::string& field) {
  SelectorOptions options = test::options();
  change(options.learning);
  try {
    const Selector selector(options);
    ADD_FAILURE() << "accepted: " << field;
  } catch (const Error& error) {
    EXPECT_NE(error.problem().find(field), std::string::npos) << error.what();
    EXPECT_EQ(error.where(), "Selector");
  }
}

TEST(SelectorOptions, OutOfRangeAreRefusedByName) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double wrong : {-0.01, 1.0, nan})
    expect_refused([&](LearningOptions& l) { l.indifference = wrong; }, "indifference");
  for (const double wrong : {0.0, 1.0, -1.0, nan})
    expect_refused([&](LearningOptions& l) { l.error = wrong; }, "error");
  for (const double wrong : {-0.1, 1.1, nan})
    expect_refused([&](LearningOptions& l) { l.exploration_budget = wrong; }, "exploration_budget");
  expect_refused([](LearningOptions& l) { l.samples_min = 0; }, "samples_min");
  for (const std::uint32_t wrong : {0u, 65'537u})
    expect_refused([&](LearningOptions& l) { l.result_patience = wrong; }, "result_patience");
}

TEST(SelectorOptions, AreTakenAtTheEndsOfTheirRanges) {
  SelectorOptions options = test::options();
  options.learning = {.indifference = 0.0,
                      .error = 1e-9,
                      .samples_min = 1,
                      .exploration_budget = 0.0,
                      .candidates_max = 1,
                      .result_patience = 65'536};
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b", "c"}));
  test::launch(op, {8}, {100, 200, 300}, 100);
  EXPECT_EQ(test::incumbent(op, {8}), 0u);
}

TEST(Selector, IsOnlineAtEpochZeroOnItsDevice) {
  const Selector selector(test::options());
  EXPECT_EQ(selector.mode(), Mode::online);
  EXPECT_EQ(selector.epoch(), 0u);
  EXPECT_EQ(selector.device().device, "Test Device 1");
}

TEST(Policies, AreMadeByNameAndUnknownOnesListTheNames) {
  for (const std::string_view name : policy_names()) EXPECT_NE(make_policy(name)(), nullptr);
  EXPECT_EQ(policy_names().front(), "default");
  try {
    static_cast<void>(make_policy("bset"));
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("thompson"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace adaptive
