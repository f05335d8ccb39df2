// Tests measurements of a family and the files that are written from them.
#include "tuning/measuring/measurement.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <adaptive/error.hpp>

#include "kernels/family.hpp"
#include "table/trace.hpp"
#include "tests/tuning/fake_target.hpp"
#include "tuning/measuring/host_target.hpp"

namespace adaptive::inline v1::tuning {
namespace {

Measurement made_up() {
  return {.operation = "op",
          .dimensions = {{"m", kernels::Dimension::Kind::size},
                         {"type", kernels::Dimension::Kind::label, {"a", "b"}},
                         {"bits", kernels::Dimension::Kind::label_set, {"2", "3", "4"}}},
          .shape = {16, 1, 5},
          .variants = {{.name = "slow", .parameters = {{"tile", 64}}, .latency_us = {20.5, 21.25, 20.0}},
                       {.name = "fast", .latency_us = {10.0, 10.0, 10.0, 10.0, 10.0, 10.0, 400.0}},
                       {.name = "bad", .status = TrialStatus::wrong}}};
}

TEST(Measurement, IsWrittenAsATrace) {
  std::ostringstream out;
  write_trace(out, made_up());
  EXPECT_EQ(out.str(),
            "{\"op\":\"op\",\"key\":{\"m\":16,\"type\":\"b\",\"bits\":[\"2\",\"4\"]},\"variant\":\"slow\","
            "\"parameters\":{\"tile\":64},\"latency_us\":[20.5,21.25,20]}\n"
            "{\"op\":\"op\",\"key\":{\"m\":16,\"type\":\"b\",\"bits\":[\"2\",\"4\"]},\"variant\":\"fast\","
            "\"latency_us\":[10,10,10,10,10,10,400]}\n");
}

TEST(Measurement, ATraceIsReadAsItWasWritten) {
  std::ostringstream out;
  write_trace(out, made_up());
  const table::Trace trace = table::parse_trace(out.str(), "test");
  EXPECT_TRUE(trace.notices.empty());
  ASSERT_EQ(trace.keys.size(), 1u);
  EXPECT_EQ(trace.keys[0].key.at("bits"), Parameter("2,4"));
  EXPECT_EQ(trace.keys[0].parameters[0].at("tile"), Parameter(64));
  EXPECT_TRUE(trace.keys[0].parameters[1].empty());
  EXPECT_EQ(trace.keys[0].latency_ns[0], (std::vector<double>{20'500, 21'250, 20'000}));
}

TEST(Measurement, IsAnEntryOfATable) {
  table::Table table;
  add_to_table(table, made_up(), 1'700'000'000);
  const table::OperationTable& operation = table.operations.at("op");
  EXPECT_EQ(operation.variants.size(), 2u) << "a wrong variant is no candidate for anybody";
  EXPECT_EQ(operation.variants.at("slow").at("tile"), Parameter(64));
  const table::Entry& entry = operation.entries.at({16, 1, 5});
  EXPECT_EQ(entry.incumbent, "fast");
  EXPECT_EQ(entry.origin, table::Origin::measured);
  EXPECT_EQ(entry.time, 1'700'000'000);
  const table::VariantRecord& slow = entry.variants.at("slow");
  EXPECT_EQ(slow.count, 3u);
  EXPECT_NEAR(slow.mean_ns, 20583.3, 0.1);
  EXPECT_NEAR(slow.variance_ns2, 395833.3, 1.0);
  EXPECT_NEAR(slow.location_ns, 20576.9, 0.1) << "three that agree: their geometric mean";
  const table::VariantRecord& fast = entry.variants.at("fast");
  EXPECT_GT(fast.mean_ns, 60'000.0);
  EXPECT_LT(fast.location_ns, 11'000.0) << "one outlier in seven must not decide";

  const table::ReadResult read = table::parse(table::print(table), "test");
  EXPECT_TRUE(read.notices.empty());
  EXPECT_EQ(read.table.operations.at("op"), operation);
}

TEST(Measurement, OfTheSameKeyAddsUp) {
  table::Table table;
  add_to_table(table, made_up(), 1);
  Measurement later = made_up();
  later.variants[0].latency_us[0] += 1.0;  // identical figures would be the same measurement
  add_to_table(table, later, 2);
  EXPECT_EQ(table.operations.at("op").entries.at({16, 1, 5}).variants.at("slow").count, 6u);
}

TEST(Measurement, WithNothingToTellAddsNothing) {
  Measurement nothing = made_up();
  nothing.variants.erase(nothing.variants.begin(), nothing.variants.begin() + 2);
  table::Table table;
  add_to_table(table, nothing, 1);
  EXPECT_TRUE(table.operations.empty());
}

TEST(Measure, TakesEveryVariantThatRunsInTurn) {
  for (const kernels::Family* family : kernels::families()) {
    const kernels::Shape shape = family->test_shapes().front();
    HostTarget target(*family);
    const Measurement measured = measure(target, shape, {.rounds = 12, .warm_up = 1});
    EXPECT_EQ(measured.operation, family->name());
    EXPECT_EQ(measured.shape, shape);
    std::size_t runs = 0;
    for (std::size_t v = 0; v < family->variants().size(); ++v) runs += family->runs(v, shape) ? 1 : 0;
    EXPECT_EQ(measured.variants.size(), runs);
    for (const MeasuredVariant& variant : measured.variants) {
      EXPECT_EQ(variant.status, TrialStatus::ok) << variant.name;
      ASSERT_EQ(variant.latency_us.size(), 12u);
      for (const double us : variant.latency_us) EXPECT_GT(us, 0.0);
    }
  }
}

std::vector<double> latencies_of(const Measurement& measurement, const std::string& name) {
  for (const MeasuredVariant& variant : measurement.variants)
    if (variant.name == name) return variant.latency_us;
  return {};
}

TEST(Measure, AThrottledRoundCountsForNobodyAndIsRepeated) {
  FakeDevice device;
  FakeTarget target(device);
  device.throttled = [](const Round& round) { return round.phase == "record" && round.index % 2 == 0; };
  const Measurement measured = measure(target, {16, 64, 0}, {.rounds = 12});
  EXPECT_EQ(measured.throttled_rounds, 12);
  for (const MeasuredVariant& variant : measured.variants) EXPECT_EQ(variant.latency_us.size(), 12u);

  device.throttled = [](const Round& round) { return round.phase != "warm_up"; };
  const Measurement nothing = measure(target, {16, 64, 0}, {.rounds = 12});
  EXPECT_EQ(nothing.throttled_rounds, 36);
  table::Table table;
  add_to_table(table, nothing, 1);
  EXPECT_TRUE(table.operations.empty());
}

TEST(Measure, ACandidateThatFailsIsLeftOut) {
  FakeDevice device;
  device.candidates[1].fails = [](const Round& round) { return round.index == 5; };
  device.candidates[2].fails = [](const Round& round) { return round.phase == "warm_up"; };
  device.candidates[3].check = TrialStatus::wrong;
  FakeTarget target(device);
  const Measurement measured = measure(target, {16, 64, 0}, {.rounds = 12});
  EXPECT_EQ(latencies_of(measured, "default").size(), 12u);
  EXPECT_TRUE(latencies_of(measured, "fast").empty());
  EXPECT_TRUE(latencies_of(measured, "slow").empty());
  EXPECT_EQ(measured.variants[1].status, TrialStatus::failed);
  EXPECT_EQ(measured.variants[2].status, TrialStatus::failed);
  EXPECT_EQ(measured.variants[3].status, TrialStatus::wrong);
  EXPECT_EQ(device.rounds_of.at("slow"), 1) << "who has failed is not run again";
  table::Table table;
  add_to_table(table, measured, 1);
  const table::Entry& entry = table.operations.at("fake").entries.at({16, 64, 0});
  EXPECT_EQ(entry.incumbent, "default") << "a failed trial has a latency of zero";
  EXPECT_EQ(entry.variants.size(), 1u);
}

TEST(Measure, ALatencyOfZeroIsOneBelowTheClocksResolution) {
  Measurement measurement = made_up();
  measurement.variants[1].latency_us = {0.0, 0.0, 0.0};
  table::Table table;
  add_to_table(table, measurement, 1);
  EXPECT_NEAR(table.operations.at("op").entries.at({16, 1, 5}).variants.at("fast").location_ns, 1.0, 1e-9);
}

TEST(Measure, EndsEarlyButNotBeforeTenRounds) {
  const kernels::Family& family = *kernels::families().front();
  HostTarget target(family);
  const Measurement measured =
      measure(target, family.test_shapes().front(), {.rounds = 1'000'000, .warm_up = 0, .seconds_max = 0.0});
  for (const MeasuredVariant& variant : measured.variants) EXPECT_EQ(variant.latency_us.size(), 10u);
}

}  // namespace
}  // namespace adaptive::tuning
