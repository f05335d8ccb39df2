// Tests the messages of a tuning run.
#include "cli/tune/progress.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <sstream>
#include <string>

namespace adaptive::inline v1::cli {
namespace {

tuning::TunedShape finished() {
  tuning::TunedShape shape{.name = "m=1", .measured = 10, .done = true};
  shape.race.contestants = {
      {.candidate = {"default"}, .count = 5, .location_us = 80.0},
      {.candidate = {"broken"}, .status = tuning::TrialStatus::crashed, .detail = "signal 11"},
      {.candidate = {"fast"}, .count = 5, .location_us = 40.0}};
  shape.race.best = 2;
  return shape;
}

TEST(Progress, ShowsTheBestSoFarOnATerminal) {
  std::ostringstream err;
  Console console(err, {.terminal = true});
  const std::string name = "tokens=16 out_features=14336 in_features=4096 bits=2+3+4+8";
  TuneProgress progress(console, {tuning::DeviceId{}}, {name, name, name});
  progress.progress(0, {.phase = "race", .round = 7, .in_race = 3, .leader = "fast", .leader_us = 40.1});
  const std::string line = err.str();
  EXPECT_NE(line.find("0/3"), std::string::npos) << line;
  EXPECT_NE(line.find("best fast 40.1 µs"), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), std::string::npos) << "the next one is written over it";
  EXPECT_LE(line.size(), 80u);
}

TEST(Progress, IsALineAShapeElsewhere) {
  std::ostringstream err;
  Console console(err, {});
  TuneProgress progress(console, {tuning::DeviceId{}, tuning::DeviceId{0}}, {"m=1", "m=2"});
  progress.progress(0, {.phase = "race"});
  EXPECT_EQ(err.str(), "");
  progress.shape_ends(0, finished());
  EXPECT_EQ(err.str().find("1/2 m=1: fast 40 µs, 50.0 %"), 0u) << err.str();
  EXPECT_NE(err.str().find("warning: broken of m=1: crashed: signal 11\n"), std::string::npos) << err.str();
  progress.device_left_out(1, "fell off the bus");
  EXPECT_NE(err.str().find("warning: gpu 0 is left out: fell off the bus\n"), std::string::npos);
}

TEST(Progress, EndsAtTheFirstInterrupt) {
  std::ostringstream err;
  Console console(err, {});
  TuneProgress progress(console, {tuning::DeviceId{}}, {"m=1"});
  EXPECT_FALSE(progress.stop());
  std::raise(SIGINT);
  EXPECT_TRUE(progress.stop());
}

}  // namespace
}  // namespace adaptive::cli
