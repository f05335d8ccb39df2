// One rank of a job of many steps. Writes the variant of every step into a file, one byte for each step.
//
// rank_steps_program STORE TABLES CHOICES RANK FIRST END: runs the steps FIRST to END - 1, then ends without
// any farewell, as a process that is killed. All ranks launch the same keys; the rank determines the seed and
// the latencies. Rank 0 announces one of the tables 0.json to 3.json every 10,000 steps.
#include <unistd.h>

#include <cstdint>

#include <adaptive/adaptive.hpp>

#include "rank_steps.hpp"

int main(int argc, char** argv) {
  using namespace adaptive;
  const test::RankSteps steps(argc, argv);
  if (steps.choices == nullptr) return 2;
  const SelectorOptions options = steps.options();
  Selector selector(options);
  Operation& op = selector.define(test::RankSteps::operation());
  RankEpochs epochs(selector, steps.epochs());
  Random random(options.seed);
  for (std::uint64_t step = steps.first; step < steps.end; ++step) {
    steps.begin(epochs, step);
    const Decision decision = op.select({test::RankSteps::key(step)});
    steps.choices[step] = static_cast<std::uint8_t>(decision.variant());
    const double slow = steps.is_slow(decision.variant()) ? 9.0 : 1.0;
    if (decision.timed()) op.record(decision, Latency(100.0 * slow * (1.0 + random.uniform())));
  }
  ::_exit(static_cast<int>(selector.epoch()));
}
