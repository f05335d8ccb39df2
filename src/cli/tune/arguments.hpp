// The options of `adaptive tune`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "tuning/measuring/sampling.hpp"
#include "tuning/measuring/targets.hpp"
#include "tuning/race.hpp"
#include "tuning/shapes.hpp"

namespace adaptive::inline v1::cli {

struct TuneArguments {
  std::string family;

  // Shapes.
  std::string model;
  std::vector<std::string> shapes, out_in, values;
  std::vector<std::int64_t> batch_sizes, sequence_lengths;
  std::vector<std::int64_t> block_shape;
  std::string split = "out";
  std::string dtype = "auto";
  std::int64_t tensor_parallel = 1, expert_parallel = 1, experts = 0, experts_per_token = 0;
  double skew = 0.5;
  std::filesystem::path routing;
  // Only other commands set these: a model that is in no file, and routing beside that of --routing.
  std::optional<tuning::Model> own_model;
  std::vector<tuning::RoutedStep> steps;

  // Search.
  bool quick = false, exhaustive = false, no_tune = false;
  std::filesystem::path space;
  bool keep_numeric_class = false;
  std::string objective = "latency";
  std::string memory_limit;
  int rounds = 0, warm_up = 0, confirm = 0;
  double error = 0.05, tie = 0.01;
  double seconds_max = 0.0;
  std::uint64_t seed = 1;

  // Timing.
  std::string clock = "events";
  int launches = 0;
  bool cold = false, warm = false;

  // Devices.
  std::string devices;
  double trial_seconds = 120.0;
  bool in_process = false;
  std::string queue;
  double lease_seconds = 30.0;

  // Stored results.
  std::string run_name;
  std::filesystem::path runs = "tuning_runs";
  std::filesystem::path tables;
  bool update = false, force = false, dry_run = false;
  std::vector<std::string> save_as, save_with;
  bool documented_names = false;  ///< of files of sglang-grouped-gemm; only other commands set this

  // Output.
  bool quiet = false, json = false;
  std::string log_level = "info";
  std::filesystem::path log_file;

  // --check
  std::filesystem::path check;
  std::size_t check_entries = 10;
  double tolerance = 0.1;
};

void add_options(CLI::App& command, TuneArguments& arguments);

/// These functions throw `UsageError` or `Error` if arguments are invalid or contradict each other.
tuning::ShapeRequest shape_request(const TuneArguments& arguments);
tuning::RaceOptions race_options(const TuneArguments& arguments);
/// Bytes; the largest number if there is no limit.
std::uint64_t memory_limit(const TuneArguments& arguments);
tuning::SamplingOptions sampling_options(const TuneArguments& arguments);
std::vector<tuning::DeviceId> devices(const TuneArguments& arguments);

}  // namespace adaptive::cli
