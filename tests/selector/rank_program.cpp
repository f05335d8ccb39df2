// One rank of a job. Prints its choices for 300 keys, before and after an announced epoch.
//
// rank_program OLD_TABLE NEW_TABLE NUMBER: the number determines the rank's seed, the amount of its work
// between the two epochs, the order of its keys and the costs of its launches.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <adaptive/adaptive.hpp>

namespace {

using namespace adaptive;

void work(Operation& op, Random& random, std::uint32_t calls) {
  for (std::uint32_t i = 0; i < calls; ++i) {
    const Decision decision = op.select({1 + random.below(300)});
    const double own = 1.0 + random.uniform() * (decision.variant() == 0 ? 9.0 : 1.0);
    if (decision.timed()) op.record(decision, Latency(100.0 * own));
  }
}

void print_choices(Operation& op) {
  for (std::int64_t m = 1; m <= 300; ++m) std::printf("%u", op.select({m}).variant());
  std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const auto number = static_cast<std::uint64_t>(std::atoi(argv[3]));
  SelectorOptions options;
  options.device = {.device = "Test Device 1"};
  options.use_environment = false;
  options.rank_consistent = true;
  options.seed = number;
  options.tables.places = {argv[1]};
  Selector selector(options);
  Operation& op = selector.define({.name = "op",
                                   .dimensions = {size_dimension("m")},
                                   .variants = {{.name = "a"}, {.name = "b"}, {.name = "c"}}});
  Random random(number);
  work(op, random, 3'000 * static_cast<std::uint32_t>(number));
  print_choices(op);
  selector.advance_epoch(argv[2]);
  work(op, random, 1'000);
  print_choices(op);
  std::printf("%llu\n", static_cast<unsigned long long>(selector.epoch()));
  return 0;
}
