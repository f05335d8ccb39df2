// One rank of a job of many steps. Writes the variant of every step into a file, one byte for each step.
//
// rank_steps_program STORE TABLES CHOICES RANK FIRST END: runs the steps FIRST to END - 1, then ends without
// any farewell, as a process that is killed. All ranks launch the same keys; the rank determines the seed and
// the latencies. Rank 0 announces one of the tables 0.json to 3.json every 10,000 steps.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include <adaptive/adaptive.hpp>

int main(int argc, char** argv) {
  using namespace adaptive;
  if (argc != 7) return 2;
  const std::string tables = argv[2];
  const int rank = std::atoi(argv[4]);
  const auto first = static_cast<std::uint64_t>(std::atoll(argv[5]));
  const auto end = static_cast<std::uint64_t>(std::atoll(argv[6]));

  const int file = ::open(argv[3], O_RDWR);
  if (file < 0) return 3;
  void* const mapped = ::mmap(nullptr, end, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) return 3;
  auto* const choices = static_cast<std::uint8_t*>(mapped);

  SelectorOptions options;
  options.device = {.device = "Test Device 1"};
  options.use_environment = false;
  options.rank_consistent = true;
  options.seed = static_cast<std::uint64_t>(rank) * 1000 + first;
  options.tables.places = {tables + "/0.json"};
  Selector selector(options);
  Operation& op = selector.define({.name = "op",
                                   .dimensions = {size_dimension("m")},
                                   .variants = {{.name = "a"}, {.name = "b"}, {.name = "c"}}});
  RankEpochs epochs(selector, {.store = file_store(argv[1]), .job = "steps", .rank = rank});
  Random random(options.seed);
  for (std::uint64_t step = first; step < end; ++step) {
    epochs.step(step);
    if (rank == 0 && step % 10'000 == 5'000)
      epochs.announce(tables + "/" + std::to_string((step / 10'000 + 1) % 4) + ".json");
    const std::uint64_t key = step * 0x9E3779B97F4A7C15U >> 32U;  // any order, the same for all ranks
    const Decision decision = op.select({static_cast<std::int64_t>(1 + key % 300)});
    choices[step] = static_cast<std::uint8_t>(decision.variant());
    const double slow =
        decision.variant() == static_cast<std::uint32_t>(rank) % 3 ? 9.0 : 1.0;  // each rank's own truth
    if (decision.timed()) op.record(decision, Latency(100.0 * slow * (1.0 + random.uniform())));
  }
  ::_exit(static_cast<int>(selector.epoch()));
}
