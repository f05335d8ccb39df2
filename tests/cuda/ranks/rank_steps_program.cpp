// One rank of a job of many steps, whose launches run on a GPU and are timed there. Writes the variant of
// every step into a file, one byte for each step.
//
// cuda_rank_steps_program STORE TABLES CHOICES RANK FIRST END: runs the steps FIRST to END - 1 on the GPU
// RANK, counted around. All ranks launch the same keys; the rank determines which variant is slow. Rank 0
// announces one of the tables 0.json to 3.json every 10,000 steps. Returns the epoch that the rank has
// reached, or 100 or more after an error.
#include <fcntl.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include <adaptive/adaptive.hpp>
#include <adaptive/cuda.hpp>
#include "cuda/bias/spin.hpp"

int main(int argc, char** argv) {
  using namespace adaptive;
  if (argc != 7) return 102;
  const std::string tables = argv[2];
  const int rank = std::atoi(argv[4]);
  const auto first = static_cast<std::uint64_t>(std::atoll(argv[5]));
  const auto end = static_cast<std::uint64_t>(std::atoll(argv[6]));

  const int file = ::open(argv[3], O_RDWR);
  if (file < 0) return 103;
  void* const mapped = ::mmap(nullptr, end, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) return 103;
  auto* const choices = static_cast<std::uint8_t*>(mapped);

  cudaStream_t stream = nullptr;
  if (cudaSetDevice(rank % cuda::device_count()) != cudaSuccess) return 104;
  if (cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess) return 104;

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
  cuda::Timer timer;
  for (std::uint64_t step = first; step < end; ++step) {
    epochs.step(step);
    if (rank == 0 && step % 10'000 == 5'000)
      epochs.announce(tables + "/" + std::to_string((step / 10'000 + 1) % 4) + ".json");
    const std::uint64_t key = step * 0x9E3779B97F4A7C15U >> 32U;  // any order, the same for all ranks
    auto launch = timer.launch(op, {static_cast<std::int64_t>(1 + key % 300)}, stream);
    choices[step] = static_cast<std::uint8_t>(launch.variant());
    const bool slow = launch.variant() == static_cast<std::uint32_t>(rank) % 3;  // each rank's own truth
    launch.check(cuda::launch_spin(slow ? 9'000 : 1'000, nullptr, stream));
  }
  if (cudaStreamSynchronize(stream) != cudaSuccess) return 105;
  timer.drain();
  if (timer.counters().recorded == 0) return 106;
  return static_cast<int>(selector.epoch());
}
