// Tests which entries tune --check calls a regression, on a simulated device.
#include "cli/tune/check.hpp"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "table/table.hpp"
#include "tests/cli/tool.hpp"
#include "tests/tuning/fake_target.hpp"
#include "tuning/tuner.hpp"

namespace adaptive::inline v1::cli {
namespace {

// A default of 20 us at m = 1, and a winner that takes `us`.
tuning::FakeDevice device_with(double us) {
  tuning::FakeDevice device;
  device.noise = 0.001;
  device.candidates = {{"default", 20.0}, {"winner", us}};
  return device;
}

class Check : public ToolTest {
 protected:
  // Checks the table of one device on another one, and keeps what is printed.
  Exit check(tuning::FakeDevice tuned, tuning::FakeDevice now, double tolerance) {
    tuning::FakeTarget then(tuned);
    tuning::TrialLog log;
    table::write(tuning::to_table(tuning::tune({&then}, {{1, 64, 0}}, log), 1), path("table.json"));
    tuning::FakeTarget target(now);
    std::ostringstream out, messages;
    Console console(messages, {.quiet = true});
    const Exit exit =
        check_table({.table = path("table.json"), .tolerance = tolerance}, target, console, out);
    printed_ = out.str();
    return exit;
  }

  std::string printed_;
};

TEST_F(Check, AWinnerThatIsStillFastHolds) {
  EXPECT_EQ(check(device_with(10.0), device_with(10.0), 0.0), exit_ok) << printed_;
}

TEST_F(Check, AWinnerThatIsSlowerThanInTheTableHasRegressed) {
  EXPECT_EQ(check(device_with(10.0), device_with(11.5), 0.1), exit_check);
  EXPECT_NE(printed_.find("slower than in the table"), std::string::npos) << printed_;
  EXPECT_EQ(check(device_with(10.0), device_with(11.5), 0.2), exit_ok) << printed_;
}

TEST_F(Check, SlowerThanTheDefaultCountsBeyondTheToleranceAlone) {
  // The winner has become slower: it is now 20 % behind the default.
  EXPECT_EQ(check(device_with(19.0), device_with(24.0), 0.3), exit_ok) << printed_;
  EXPECT_EQ(check(device_with(19.0), device_with(24.0), 0.1), exit_check);
  EXPECT_NE(printed_.find("slower than the default, with noise"), std::string::npos) << printed_;
}

}  // namespace
}  // namespace adaptive::cli
