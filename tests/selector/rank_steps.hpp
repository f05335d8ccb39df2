// What the programs of a rank share: rank_steps_program on the host and cuda_rank_steps_program on GPUs.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include <adaptive/adaptive.hpp>

namespace adaptive::test {

/// The arguments STORE TABLES CHOICES RANK FIRST END of such a program, and its memory for the choices.
struct RankSteps {
  /// `choices` is null if the arguments or the file are not as they should be.
  RankSteps(int argc, char** argv) {
    if (argc != 7) return;
    store = argv[1];
    tables = argv[2];
    rank = std::atoi(argv[4]);
    first = static_cast<std::uint64_t>(std::atoll(argv[5]));
    end = static_cast<std::uint64_t>(std::atoll(argv[6]));
    const int file = ::open(argv[3], O_RDWR);
    if (file < 0) return;
    void* const mapped = ::mmap(nullptr, end, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) choices = static_cast<std::uint8_t*>(mapped);
  }

  SelectorOptions options() const {
    SelectorOptions options;
    options.device = {.device = "Test Device 1"};
    options.use_environment = false;
    options.rank_consistent = true;
    options.seed = static_cast<std::uint64_t>(rank) * 1000 + first;
    options.tables.places = {table(0)};
    return options;
  }
  static OperationSpec operation() {
    return {.name = "op",
            .dimensions = {size_dimension("m")},
            .variants = {{.name = "a"}, {.name = "b"}, {.name = "c"}}};
  }
  RankEpochsOptions epochs() const { return {.store = file_store(store), .job = "steps", .rank = rank}; }

  /// Begins a step. Rank 0 announces one of the tables 0.json to 3.json every 10,000 steps.
  void begin(RankEpochs& epochs, std::uint64_t step) const {
    epochs.step(step);
    if (rank == 0 && step % 10'000 == 5'000) epochs.announce(table((step / 10'000 + 1) % 4));
  }
  /// The key of a step: in any order, the same for all ranks.
  static std::int64_t key(std::uint64_t step) {
    return static_cast<std::int64_t>(1 + (step * 0x9E3779B97F4A7C15U >> 32U) % 300);
  }
  /// Each rank's own truth.
  bool is_slow(std::uint32_t variant) const { return variant == static_cast<std::uint32_t>(rank) % 3; }

  std::string table(std::uint64_t number) const { return tables + "/" + std::to_string(number) + ".json"; }

  std::string store, tables;
  int rank = 0;
  std::uint64_t first = 0, end = 0;
  std::uint8_t* choices = nullptr;  ///< by step, shared with the file CHOICES
};

}  // namespace adaptive::test
