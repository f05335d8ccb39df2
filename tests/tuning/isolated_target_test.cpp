// Tests the effects of a crash, a hang or a device error in the other process.
#include "tuning/measuring/isolated_target.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "kernels/family.hpp"
#include "tests/tuning/fake_target.hpp"
#include "tuning/measuring/targets.hpp"
#include "tuning/race.hpp"

namespace adaptive::inline v1::tuning {
namespace {

class Isolated : public testing::Test {
 protected:
  IsolatedTarget target(double seconds_max = 30.0) {
    return {std::make_shared<FakeTarget>(device_),
            [this] { return std::make_unique<FakeTarget>(device_); },
            {.seconds_max = seconds_max}};
  }
  RaceResult run(double seconds_max = 30.0) {
    IsolatedTarget isolated = target(seconds_max);
    return race(*isolated.open({1, 64, 0}), {});
  }
  FakeDevice device_;
};

TEST_F(Isolated, MeasuresTheSame) {
  device_.candidates[1].parameters = {{"tile", 64}, {"scale", 0.5}, {"on", true}, {"kind", "x"}};
  device_.candidates[2].numeric_class = "fma";
  IsolatedTarget isolated = target();
  EXPECT_EQ(isolated.fingerprint().device, device_.name);
  EXPECT_EQ(isolated.name(), "fake");
  EXPECT_EQ(isolated.bench_shapes().size(), 5u);
  const auto remote = isolated.open({1, 64, 0});
  EXPECT_EQ(device_.trials, 0u);
  FakeTarget here(device_);
  const auto local = here.open({1, 64, 0});
  EXPECT_EQ(remote->candidates(), local->candidates());
  EXPECT_EQ(remote->bytes(), local->bytes());
  EXPECT_EQ(remote->check(1), local->check(1));
  const Round round{.phase = "race", .index = 3, .order = {2, 0, 1}};
  EXPECT_EQ(remote->round(round), local->round(round));
}

TEST_F(Isolated, TellsTheCandidatesOfAShape) {
  device_.candidates[1].parameters = {{"tile", 64}};
  IsolatedTarget isolated = target();
  EXPECT_EQ(isolated.candidates({1, 64, 0}), FakeTarget(device_).candidates({1, 64, 0}));
}

TEST_F(Isolated, ACrashInARoundCostsTheCandidateOnly) {
  device_.candidates[1].in_round = [] { std::raise(SIGKILL); };
  const RaceResult result = run();
  EXPECT_EQ(result.contestants[1].status, TrialStatus::crashed);
  EXPECT_NE(result.contestants[1].detail.find("signal 9"), std::string::npos) << result.contestants[1].detail;
  ASSERT_TRUE(result.best);
  EXPECT_EQ(result.contestants[*result.best].candidate.name, "close");
}

TEST_F(Isolated, SoDoesAnExit) {
  device_.candidates[3].in_round = [] { ::_exit(3); };
  const RaceResult result = run();
  EXPECT_EQ(result.contestants[3].status, TrialStatus::crashed);
  EXPECT_EQ(result.contestants[3].detail, "exit code 3");
  EXPECT_EQ(result.contestants[*result.best].candidate.name, "fast");
}

TEST_F(Isolated, ADeviceErrorIsGoneWithItsProcess) {
  device_.candidates[2].in_round = [] { throw std::runtime_error("illegal address"); };
  const RaceResult result = run();
  EXPECT_EQ(result.contestants[2].status, TrialStatus::failed);
  EXPECT_EQ(result.contestants[2].detail, "illegal address");
  EXPECT_EQ(result.contestants[*result.best].candidate.name, "fast");
}

TEST_F(Isolated, WhatHangsIsKilled) {
  device_.candidates[2].in_round = [] {
    while (true) ::pause();
  };
  const RaceResult result = run(0.2);
  EXPECT_EQ(result.contestants[2].status, TrialStatus::timed_out);
  EXPECT_EQ(result.contestants[*result.best].candidate.name, "fast");
}

int count_sockets() {
  int count = 0;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    if (std::filesystem::read_symlink(entry.path(), ignored).string().starts_with("socket:")) ++count;
  return count;
}

TEST_F(Isolated, AProcessKeepsNoChannelOfAnotherOpen) {
  const auto description = std::make_shared<FakeTarget>(device_);
  // The device's name is the number of open sockets in its process.
  const IsolatedTarget::Factory factory = [this] {
    device_.name = std::to_string(count_sockets());
    return std::make_unique<FakeTarget>(device_);
  };
  IsolatedTarget first(description, factory);
  const std::string alone = first.fingerprint().device;
  IsolatedTarget second(description, factory);
  EXPECT_EQ(second.fingerprint().device, alone);
  std::atomic<int> others = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i)
        if (IsolatedTarget(description, factory).fingerprint().device != alone) ++others;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(others, 0);
}

TEST_F(Isolated, AProcessOutlivesTheThreadThatStartedIt) {
  IsolatedTarget isolated = target();
  std::unique_ptr<Bench> bench;
  std::thread([&] { bench = isolated.open({1, 64, 0}); }).join();
  // The kernel reports the end of a thread only shortly after the thread can be joined.
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(bench->check(1).status, TrialStatus::ok);
    std::this_thread::yield();
  }
}

TEST_F(Isolated, TellsWhyAShapeCannotBeOpened) {
  device_.opening = [](const kernels::Shape& shape) {
    if (shape[0] == 2) throw OpenError(TrialStatus::out_of_memory, "too large");
    if (shape[0] == 3) throw DeviceError("no such device");
    if (shape[0] == 4) std::raise(SIGKILL);
  };
  IsolatedTarget isolated = target();
  try {
    isolated.open({2, 64, 0});
    FAIL();
  } catch (const OpenError& e) {
    EXPECT_EQ(e.status(), TrialStatus::out_of_memory);
    EXPECT_STREQ(e.what(), "too large");
  }
  EXPECT_THROW(isolated.open({3, 64, 0}), DeviceError);
  EXPECT_THROW(isolated.open({4, 64, 0}), OpenError);
  EXPECT_NO_THROW(isolated.open({1, 64, 0}));
}

TEST(IsolatedFamily, ChecksEveryVariantOfEveryHostFamily) {
  for (const kernels::Family* family : kernels::families()) {
    const auto isolated = make_isolated_target(family->name(), DeviceId{}, {}, {});
    const auto bench = isolated->open(family->test_shapes().front());
    for (std::size_t c = 0; c < bench->candidates().size(); ++c)
      EXPECT_EQ(bench->check(c).status, TrialStatus::ok) << bench->candidates()[c].name;
  }
}

}  // namespace
}  // namespace adaptive::tuning
