// A program that replays one graph on a simulated GPU.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cuda/graph/replay/learner.hpp"
#include "tests/cuda/host/simulated_replays.hpp"
#include "tests/selector/support.hpp"

namespace adaptive::test {

using namespace cuda;

/// A program with one graph. Launch i has the key {i + 1}, and all launches are of one operation.
class ReplayTest : public testing::Test {
 protected:
  void begin(SelectorOptions options, std::size_t launches, std::vector<std::string> variants,
             ReplayOptions replay_options = {}) {
    selector_ = std::make_unique<Selector>(std::move(options));
    op_ = &selector_->define(operation(std::move(variants)));
    learner_ = std::make_unique<ReplayLearner>(driver_, replay_options);
    for (std::size_t i = 0; i < launches; ++i) learner_->add(*op_, key(i), true);
    base_.assign(launches, 0);
  }
  static Key key(std::size_t launch) { return {static_cast<std::int64_t>(launch) + 1}; }

  /// One replay, as the program makes it. Returns what ran.
  std::vector<std::uint32_t> replay() {
    driver_.ran = base_;
    if (!learner_->replay(base_, nullptr)) {
      driver_.ran = base_;
      ++plain_;
    }
    driver_.step();
    return driver_.ran;
  }
  /// The program's executable is updated to the incumbents.
  void update() {
    for (std::size_t i = 0; i < base_.size(); ++i) base_[i] = op_->pin(key(i)).variant();
  }
  void expect_adds_up() const {
    const ReplayCounters& c = learner_->counters();
    EXPECT_EQ(c.asked, c.looks + c.dropped + c.waiting);
    EXPECT_EQ(c.looks, c.recorded + c.lost + c.pending);
  }
  /// Every latency is that of the variant for which it was given.
  void expect_bound() const {
    for (const SimulatedReplays::Given& given : driver_.given) {
      bool found = false;
      for (std::size_t i = 0; i < base_.size(); ++i)
        found = found || driver_.is.ns(i, given.variant) == given.ns;
      EXPECT_TRUE(found) << given.variant << " " << given.ns;
    }
  }
  const ReplayCounters& counters() const { return learner_->counters(); }
  std::uint64_t results(std::size_t launch, std::uint32_t variant) const {
    return op_->explain(key(launch)).candidates.at(variant).count;
  }

  SimulatedReplays driver_;
  std::unique_ptr<Selector> selector_;
  Operation* op_ = nullptr;
  std::unique_ptr<ReplayLearner> learner_;
  std::vector<std::uint32_t> base_;
  std::uint64_t plain_ = 0;
};

}  // namespace adaptive::test
