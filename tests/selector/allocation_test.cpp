// Tests that the launch path does not allocate, and what it does if memory runs out.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/selector/support.hpp"

namespace {

// Per thread, because the selector's worker thread is free to allocate.
thread_local long made = 0;
std::atomic<long> held{0};
// Counts down to the allocation of this thread that fails, at 0. A negative value: no allocation fails.
thread_local long fails_at = -1;

void* allocate(std::size_t size, std::size_t alignment) {
  if (fails_at > 0 && --fails_at == 0) throw std::bad_alloc();
  void* memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  ++made;
  held.fetch_add(1, std::memory_order_relaxed);
  return memory;
}

void release(void* memory) noexcept {
  if (memory != nullptr) held.fetch_sub(1, std::memory_order_relaxed);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  return allocate(size, alignof(std::max_align_t));
}
void* operator new[](std::size_t size) {
  return allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return operator new(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return operator new(size, std::nothrow);
}
void* operator new(std::size_t size, std::align_val_t at) {
  return allocate(size, static_cast<std::size_t>(at));
}
void* operator new[](std::size_t size, std::align_val_t at) {
  return allocate(size, static_cast<std::size_t>(at));
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::align_val_t) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}

namespace adaptive {
namespace {

TEST(Allocation, IsCounted) {
  const long before = made;
  const auto some = std::make_unique<std::vector<int>>(10);
  EXPECT_EQ(made - before, 2);
}

class LaunchPath : public testing::TestWithParam<const char*> {
 protected:
  static SelectorOptions with_policy() {
    SelectorOptions options = test::options();
    options.policy = make_policy(GetParam());
    return options;
  }
};

TEST_P(LaunchPath, AllocatesNothingInTheSteadyState) {
  Selector selector(with_policy());
  Operation& op = selector.define(test::operation({"a", "b", "c", "d"}));
  const std::vector<Key> keys = {{1}, {8}, {64}, {512}};
  const std::vector<double> ns = {130, 100, 110, 120};
  for (const Key& key : keys) test::launch(op, key, ns, 3000);
  const Site site = op.site({8});
  Random random(3);
  std::uint64_t timed = 0;
  const long before = made;
  for (int i = 0; i < 20'000; ++i) {
    const Key& key = keys[static_cast<std::size_t>(i) % keys.size()];
    const Decision decision = i % 2 == 0 ? op.select(key) : site.select();
    static_cast<void>(op.pin(key).stale());
    if (decision.timed()) {
      ++timed;
      op.record(decision, Latency(test::noisy(random, ns[decision.variant()], 0.01)));
    } else if (i % 100 == 0) {
      op.record(decision, Latency(test::noisy(random, ns[decision.variant()], 0.01)));
      op.record(key, 1, Latency(test::noisy(random, ns[1], 0.01)));
    }
  }
  const long after = made;
  EXPECT_EQ(after - before, 0);
  EXPECT_GT(timed, 0u) << "else recording was not tested";
}

INSTANTIATE_TEST_SUITE_P(Policies, LaunchPath,
                         testing::Values("default", "gaussian", "fixed", "explore-first", "thompson"));

// A program with many keys. If the variants have parameters, the default policy models the effects that the
// variants share.
class ManyKeys : public testing::TestWithParam<bool> {
 protected:
  static constexpr std::int64_t keys = 1000;

  static OperationSpec spec() {
    OperationSpec result;
    result.name = "op";
    result.dimensions = {{"m"}, {"n"}, {"k"}, {"batch"}};
    for (int v = 0; v < 8; ++v) {
      Variant variant{.name = "v" + std::to_string(v)};
      if (GetParam()) variant.parameters = {{"tile", 16 + 16 * v}};
      result.variants.push_back(std::move(variant));
    }
    return result;
  }
  static Key key(std::int64_t i) { return {i, 4096, 64 + i % 7, 8}; }

  /// Calls every key in turn. A timed call lasts as long as its variant, and its result is recorded.
  void launch(int rounds) {
    for (int round = 0; round < rounds; ++round)
      for (std::int64_t i = 0; i < keys; ++i) {
        const Decision decision = op_.select(key(i));
        if (!decision.timed()) continue;
        const double ns = 1'000.0 * (1.0 + 0.1 * std::abs(static_cast<double>(decision.variant()) - 3.0));
        op_.record(decision, Latency(test::noisy(random_, ns, 0.01)));
      }
  }
  /// The first call of each key, before the model that the keys share knows anything: each gets a state.
  void call_each() { select_only(1); }
  /// The same calls by a program that no longer records results.
  void select_only(int rounds) {
    for (int round = 0; round < rounds; ++round)
      for (std::int64_t i = 0; i < keys; ++i) op_.select(key(i));
  }

  Selector selector_{test::options_with_worker()};
  Operation& op_ = selector_.define(spec());
  Random random_{3};
};

TEST_P(ManyKeys, AllocateNothingWhileTheyLearn) {
  call_each();
  const long before = made;
  launch(100);
  EXPECT_EQ(made - before, 0) << "neither fits nor launches that are out allocate";
  EXPECT_GT(op_.counters().explored, 0u);
}

TEST_P(ManyKeys, AllocateNothingOnceTheProgramStopsRecording) {
  call_each();
  launch(30);
  const long before = made;
  select_only(2000);
  EXPECT_EQ(made - before, 0);
  EXPECT_GT(op_.counters().results_lost, 0u) << "else too few launches were out";
}

TEST_P(ManyKeys, AreModelled) {
  bool expected = false;
  // The model is consulted about a variant only until the variant has been launched.
  for (int round = 0; round < 20 && !expected; ++round) {
    launch(1);
    selector_.learn();
    for (std::int64_t i = 0; i < 50 && !expected; ++i)
      expected = op_.explain(key(i)).text().find("a model predicts") != std::string::npos;
  }
  EXPECT_TRUE(expected) << "else the tests above say nothing of fits";
}

INSTANTIATE_TEST_SUITE_P(Parameters, ManyKeys, testing::Bool());

TEST(RoundedKeys, AllocateNothingInTheSteadyState) {
  OperationSpec spec = test::operation({"a", "b"});
  spec.dimensions[0].rounding = Rounding::power_of_two;
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  for (int m = 1; m <= 64; ++m) test::launch(op, {m}, {200, 100}, 100);
  const long before = made;
  for (int i = 0; i < 1000; ++i) {
    const Decision decision = op.select({1 + i % 64});
    op.record(decision, Latency(decision.variant() == 1 ? 100.0 : 200.0));
  }
  EXPECT_EQ(made - before, 0);
}

TEST(WrongArity, AllocatesNothing) {
  Selector selector(test::options());
  Operation& op = selector.define(test::operation({"a", "b"}));
  op.select({1, 2});
  const long before = made;
  for (int i = 0; i < 1000; ++i) op.select({1, 2});
  EXPECT_EQ(made - before, 0);
}

TEST(KeysBeyondTheirNumber, AllocateNothingAndAskNobodyInTheSteadyState) {
  int asked = 0;
  OperationSpec spec = test::operation({"a", "b"});
  spec.max_keys = 0;
  spec.variants[1].supports = [&](const Key&) {
    ++asked;
    return true;
  };
  Selector selector(test::options());
  Operation& op = selector.define(spec);
  const Site site = op.site({8});
  for (int m = 0; m < 100; ++m) op.select({m});
  const long before = made;
  const int asked_before = asked;
  for (int i = 0; i < 10'000; ++i) {
    op.record(op.select({i % 100}), Latency(100.0));
    site.select();
    static_cast<void>(op.pin({i % 100}).stale());
  }
  EXPECT_EQ(made - before, 0);
  EXPECT_EQ(asked, asked_before);
}

// A key that cannot be set up is tried again at every call. The attempts must not add up memory.
TEST(AKeyThatCannotBeSetUp, HoldsNoMemory) {
  SelectorOptions options = test::options();
  options.policy = []() -> std::unique_ptr<Policy> { throw std::runtime_error("no policy"); };
  Selector selector(options);
  Operation& op = selector.define(test::operation({"a", "b"}));
  for (int i = 0; i < 100; ++i) op.select({8});
  const long before = held.load();
  for (int i = 0; i < 5000; ++i) op.select({8});
  EXPECT_EQ(held.load() - before, 0);
}

// Every allocation of a first call fails once. The call runs, and the key is either complete or absent.
TEST(ShortMemory, NeverLeavesHalfAKey) {
  for (long n = 1; n < 60; ++n) {
    Selector selector(test::options());
    Operation& op = selector.define(test::operation({"a", "b"}));
    for (int m = 0; m < 32; ++m) op.select({m});  // the next key makes the index grow
    fails_at = n;
    const Decision decision = op.select({100});
    const bool all_done = fails_at > 0;
    fails_at = -1;
    EXPECT_EQ(decision.variant(), 0u);
    for (int i = 0; i < 3; ++i) op.select({100});
    EXPECT_EQ(op.counters().keys, 33u) << n;
    EXPECT_TRUE(op.explain({100}).calls > 0) << n;
    if (all_done) return;
  }
  FAIL() << "more allocations than expected";
}

TEST(ShortMemory, DoesNotReachTheCallerOfRecord) {
  for (long n = 1; n < 20; ++n) {
    Selector selector(test::options_with<test::RoundRobin>());
    Operation& op = selector.define(test::operation({"a", "b"}));
    for (int i = 0; i < 2; ++i) op.record(op.select({8}), Latency(100.0));
    fails_at = n;
    for (int i = 0; i < 100; ++i) {
      const Decision decision = op.select({8});
      op.record(decision, Latency(decision.variant() == 1 ? 100.0 : 200.0));
    }
    for (int i = 0; i < 100; ++i) op.select({8});  // launches pile up
    fails_at = -1;
    EXPECT_EQ(test::incumbent(op, {8}), 1u) << n;
  }
}

}  // namespace
}  // namespace adaptive
