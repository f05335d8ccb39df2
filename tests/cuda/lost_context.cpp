// Loses the context of its GPU in the middle of timed launches and checks the timer's behaviour. Returns 0 if
// it is as documented. Run by errors_test.
#include <cstdio>

#include <adaptive/cuda.hpp>
#include "cuda/bias/spin.hpp"
#include "tests/cuda/program_checks.hpp"
#include "tests/selector/support.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

using namespace adaptive::test;

int run() {
  Selector selector(options_with<Steady>());
  Operation& op = selector.define(operation({"a", "b"}));
  Log log;
  Timer timer({.log = log.callback()});
  timer.bias();
  cudaStream_t stream = nullptr;
  if (cudaStreamCreate(&stream) != cudaSuccess) return 2;
  const auto launch = [&](std::uint64_t* out) {
    auto one = timer.launch(op, {8}, stream);
    return one.check(launch_spin(20'000, out, stream));
  };
  for (int i = 0; i < 10; ++i) launch(nullptr);
  launch(reinterpret_cast<std::uint64_t*>(16));  // no address of anything
  for (int i = 0; i < 10; ++i) launch(nullptr);
  expect(!timer.drain(), "drain says that the device failed");
  for (int i = 0; i < 100; ++i) {
    expect(launch(nullptr) != cudaSuccess, "launches fail now");
    timer.poll();
  }
  expect(!timer.drain(), "drain still says so");
  const TimerCounters c = timer.counters();
  expect(c.pending == 0, "nothing is pending");
  expect(c.lost > 0, "what was pending is lost");
  expect(c.timed == c.recorded + c.idle + c.queued + c.lost + c.pending, "the counters add up");
  expect(log.count("lost") == 1, "one message");
  expect(op.counters().failures <= 2, "the variants are not blamed again and again");
  if (faults > 0) std::printf("log:\n%s", log.text().c_str());
  return faults == 0 ? 0 : 1;
}

}  // namespace
}  // namespace adaptive::cuda::test

int main() {
  return adaptive::cuda::test::run();
}
