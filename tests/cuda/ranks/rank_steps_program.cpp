// One rank of a job of many steps, whose launches run on a GPU and are timed there. Writes the variant of
// every step into a file, one byte for each step.
//
// cuda_rank_steps_program STORE TABLES CHOICES RANK FIRST END: runs the steps FIRST to END - 1 on the GPU
// whose number is RANK modulo the number of GPUs. All ranks launch the same keys; the rank determines which
// variant is slow. Rank 0 announces one of the tables 0.json to 3.json every 10,000 steps. Returns the epoch
// that the rank has reached, or 100 or more after an error.
#include <cstdint>

#include <adaptive/adaptive.hpp>
#include <adaptive/cuda.hpp>
#include "cuda/bias/spin.hpp"
#include "tests/selector/rank_steps.hpp"

int main(int argc, char** argv) {
  using namespace adaptive;
  const test::RankSteps steps(argc, argv);
  if (steps.choices == nullptr) return 103;
  cudaStream_t stream = nullptr;
  if (cudaSetDevice(steps.rank % cuda::device_count()) != cudaSuccess) return 104;
  if (cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) != cudaSuccess) return 104;

  Selector selector(steps.options());
  Operation& op = selector.define(test::RankSteps::operation());
  RankEpochs epochs(selector, steps.epochs());
  cuda::Timer timer;
  for (std::uint64_t step = steps.first; step < steps.end; ++step) {
    steps.begin(epochs, step);
    auto launch = timer.launch(op, {test::RankSteps::key(step)}, stream);
    steps.choices[step] = static_cast<std::uint8_t>(launch.variant());
    launch.check(cuda::launch_spin(steps.is_slow(launch.variant()) ? 9'000 : 1'000, nullptr, stream));
  }
  if (cudaStreamSynchronize(stream) != cudaSuccess) return 105;
  timer.drain();
  if (timer.counters().recorded == 0) return 106;
  return static_cast<int>(selector.epoch());
}
