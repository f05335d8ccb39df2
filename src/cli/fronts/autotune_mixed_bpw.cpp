// autotune_mixed_bpw [--quick] [--output FILE] [--batch-sizes N,N] [--iterations N] [--warmup N]
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/fronts/fronts.hpp"
#include "cli/tune/tune_command.hpp"

namespace adaptive::inline v1::cli {
namespace {

struct AutotuneMixedBpw {
  std::string output = "autotune_mixed_bpw.json";
  std::vector<std::int64_t> batch_sizes = {1, 4, 8, 16, 32, 64};
  int iterations = 20, warm_up = 5;
  bool quick = false;
};

Exit autotune_mixed_bpw(const AutotuneMixedBpw& a, const Streams& streams) {
  TuneArguments tuned;
  tuned.family = "mixed_bit_matmul";
  // The table of the other system knows a weight by its width and the set of its bits.
  tuned.out_in = {"4096/4096"};
  tuned.values = {a.quick ? "bits=2,4,2+4" : "bits=2,3,4,8,2+4,2+3+4"};
  tuned.batch_sizes = a.batch_sizes;
  if (a.quick) tuned.batch_sizes.resize(std::min<std::size_t>(a.batch_sizes.size(), 2));
  tuned.quick = a.quick;
  tuned.rounds = a.iterations;
  tuned.warm_up = a.warm_up;
  tuned.force = true;
  tuned.save_as = {"metal-marlin", a.output};
  return tune(tuned, streams);
}

}  // namespace

Command add_autotune_mixed_bpw(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("autotune_mixed_bpw",
                         "Tunes the matmul of mixed bit width as Metal Marlin's module of that name and "
                         "writes its table.");
  command->group(front_group);
  const auto a = std::make_shared<AutotuneMixedBpw>();
  command->add_flag("--quick", a->quick, "Use two batch sizes, three sets of bits and fewer rounds");
  command->add_option("--output", a->output, "The file to write; rows that it has already are kept")
      ->capture_default_str();
  command->add_option("--batch-sizes", a->batch_sizes, "Batch sizes: 1,4,8")
      ->delimiter(',')
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 24))
      ->capture_default_str();
  command->add_option("--iterations", a->iterations, "As tune --repeats: maximum number of rounds")
      ->check(CLI::Range(2, 100'000))
      ->capture_default_str();
  command
      ->add_option("--warmup", a->warm_up, "As tune --warmup: number of rounds before the first that counts")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  return {command, [a](const Streams& streams) { return autotune_mixed_bpw(*a, streams); }};
}

}  // namespace adaptive::cli
