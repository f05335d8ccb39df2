#include "cli/tune/arguments.hpp"

#include <limits>
#include <string_view>
#include <utility>

#include <adaptive/error.hpp>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/models/model_file.hpp"
#include "cli/tune/input_files.hpp"

namespace adaptive::inline v1::cli {
namespace {

std::int64_t whole(const std::string& option, const std::string& text) {
  const auto value = core::parse_number<std::int64_t>(text);
  if (!value || *value < 0) throw UsageError(option + ": \"" + text + "\" is not a whole number");
  return *value;
}

void add_shape_options(CLI::App& command, TuneArguments& a) {
  const char* group = "Shapes";
  command.add_option("--model", a.model, "Name of a preset, a config.json, or the folder of one")
      ->group(group);
  command.add_option("--shape", a.shapes, "One shape: m=1,n=4096,k=4096; may be given several times")
      ->group(group);
  command.add_option("--out-in-features", a.out_in, "Output and input features of weights: OUT/IN,OUT/IN…")
      ->delimiter(',')
      ->type_name("OUT/IN")
      ->group(group);
  command.add_option("--batch-sizes,--batch-size", a.batch_sizes, "Batch sizes; default: 1, 2, 4, … 2048")
      ->delimiter(',')
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 24))
      ->group(group);
  command.add_option("--seq-lengths", a.sequence_lengths, "Tokens are batch × sequence; default: 1")
      ->delimiter(',')
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 24))
      ->group(group);
  command.add_option("--tp", a.tensor_parallel, "Number of devices that share each weight")
      ->check(CLI::Range(1, 4096))
      ->group(group);
  command.add_option("--ep", a.expert_parallel, "Number of devices that share the experts")
      ->check(CLI::Range(1, 4096))
      ->group(group);
  command.add_option("--tp-split-dim", a.split, "The side of --out-in-features that is split")
      ->check(CLI::IsMember({"out", "in"}))
      ->capture_default_str()
      ->group(group);
  command.add_option("--experts", a.experts, "Number of experts; default: as in the model")->group(group);
  command.add_option("--top-k", a.experts_per_token, "Number of experts per token; default: as in the model")
      ->group(group);
  command
      .add_option("--skew", a.skew, "Skew of the routing: the expert of rank r has the weight (r + 1)^-skew")
      ->check(CLI::Range(0.0, 10.0))
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--routing", a.routing,
                  "File with the rows of each expert, one step per line; replaces batch sizes")
      ->type_name("FILE")
      ->group(group);
  command
      .add_option("--dtype", a.dtype, "auto: the model's; float16, bfloat16, float32, fp8_w8a8, int8_w8a8, …")
      ->group(group);
  command.add_option("--block-shape", a.block_shape, "Block shape of a quantisation: N,K")
      ->delimiter(',')
      ->expected(2)
      ->group(group);
  command.add_option("--set", a.values, "Values of any dimension: bits=4,2+4")
      ->type_name("NAME=V,V")
      ->group(group);
}

void add_search_options(CLI::App& command, TuneArguments& a) {
  const char* group = "Search and timing";
  command.add_flag("--quick", a.quick, "Use fewer shapes, batch sizes and rounds")->group(group);
  command.add_flag("--exhaustive", a.exhaustive, "Keep all candidates to the end, for comparison")
      ->group(group);
  command.add_flag("--no-tune", a.no_tune, "Measure only the default and store nothing")->group(group);
  command.add_option("--space", a.space, "Search space: parameters, variants, number of candidates")
      ->type_name("FILE.json")
      ->group(group);
  command
      .add_flag("--keep-numeric-class", a.keep_numeric_class,
                "Try only candidates whose results are bit-identical to the default's")
      ->group(group);
  command
      .add_option("--objective", a.objective,
                  "latency, or throughput: latency times the threads of a launch, for busy processors")
      ->check(CLI::IsMember({"latency", "throughput"}))
      ->capture_default_str()
      ->group(group);
  command
      .add_option("--memory-limit", a.memory_limit,
                  "Bytes that a candidate may need besides the operands: 500M, 2G")
      ->type_name("BYTES")
      ->group(group);
  command.add_option("--repeats", a.rounds, "Maximum number of rounds; default 30, with --quick 12")
      ->check(CLI::Range(2, 100'000))
      ->group(group);
  command.add_option("--warmup", a.warm_up, "Number of rounds before the first one that counts")
      ->check(CLI::Range(0, 100'000))
      ->group(group);
  command.add_option("--confirm", a.confirm, "Number of separate samples of the winner; default 6")
      ->check(CLI::Range(1, 100'000))
      ->group(group);
  command
      .add_option("--iterations", a.launches, "Number of launches in a sample, whose latency is their mean")
      ->check(CLI::Range(1, 100'000))
      ->group(group);
  command.add_option("--timing", a.clock, "Timing on GPUs: event pairs, CUPTI records, or CUDA graphs")
      ->check(CLI::IsMember({"events", "cupti", "graph"}))
      ->capture_default_str()
      ->group(group);
  command.add_flag("--cold", a.cold, "Fill the caches with other data before each sample")->group(group);
  command.add_flag("--warm", a.warm, "On GPUs: use a single copy of the weights, which stays in the cache")
      ->group(group);
  command.add_option("--error", a.error, "Probability that a faster candidate is dropped")
      ->check(CLI::Range(1e-9, 0.5))
      ->capture_default_str()
      ->group(group);
  command.add_option("--tie", a.tie, "Relative difference of latency that is ignored")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->group(group);
  command.add_option("--time-budget", a.seconds_max, "Time limit in seconds; the run can be resumed later")
      ->check(CLI::PositiveNumber)
      ->group(group);
  command.add_option("--seed", a.seed, "Seed of random operands and orders")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str()
      ->group(group);
  command.add_option("--devices", a.devices, "all, cpu, or GPUs: 0,1; default: the first GPU, else cpu")
      ->group(group);
  command.add_option("--queue", a.queue, "Take shapes from a queue that many machines share")
      ->type_name("redis://HOST:PORT/NAME")
      ->group(group);
  command
      .add_option("--queue-lease", a.lease_seconds,
                  "Seconds without a heartbeat after which a worker loses its shape")
      ->check(CLI::Range(0.1, 1e6))
      ->capture_default_str()
      ->group(group);
  command.add_option("--trial-timeout", a.trial_seconds, "Seconds after which a hanging trial is killed")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group(group);
  command.add_flag("--in-process", a.in_process, "Run trials in this process, for debuggers and profilers")
      ->group(group);
}

void add_output_options(CLI::App& command, TuneArguments& a) {
  const char* group = "Results";
  command
      .add_option("--run-name", a.run_name,
                  "Name of the run; default: family and time. The same name resumes a run")
      ->group(group);
  command.add_option("--runs", a.runs, "Folder of the runs")->capture_default_str()->group(group);
  command
      .add_option("--tables", a.tables,
                  "Folder of the tables; default: the first one in ADAPTIVE_TABLES, else your own")
      ->group(group);
  command.add_flag("--update", a.update, "Merge the result into the device's table in that folder")
      ->group(group);
  command.add_flag("--force", a.force, "Tune shapes again that the table already has")->group(group);
  command
      .add_option("--save-as", a.save_as,
                  "Also write the winners as files of another system (docs/formats.md)")
      ->expected(2)
      ->type_name("FORMAT PATH")
      ->group(group);
  command
      .add_option("--save-with", a.save_with,
                  "Values for --save-as that neither shapes nor the model have: top_k=2,triton_version=3.5.1")
      ->type_name("NAME=V,…")
      ->group(group);
  command.add_flag("--dry-run", a.dry_run, "Print what would be tuned")->group(group);
  command.add_flag("--json", a.json, "Print the result as JSON")->group(group);
  command.add_flag("--quiet", a.quiet, "Print errors only and no progress")->group(group);
  command.add_option("--log-level", a.log_level)
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
      ->capture_default_str()
      ->group(group);
  command.add_option("--log-file", a.log_file, "File for all messages, with times, at level debug")
      ->type_name("FILE")
      ->group(group);
  command.add_option("--check", a.check, "Measure a sample of a table again; exit with 1 on a regression")
      ->type_name("TABLE")
      ->group(group);
  command.add_option("--check-entries", a.check_entries, "Number of entries that --check measures")
      ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}))
      ->capture_default_str()
      ->group(group);
  command.add_option("--tolerance", a.tolerance, "Relative growth of a latency that --check allows")
      ->check(CLI::Range(0.0, 1000.0))
      ->capture_default_str()
      ->group(group);
}

}  // namespace

void add_options(CLI::App& command, TuneArguments& arguments) {
  command.add_option("FAMILY", arguments.family, "Kernel family; an unknown name lists them")->required();
  add_shape_options(command, arguments);
  add_search_options(command, arguments);
  add_output_options(command, arguments);
}

tuning::ShapeRequest shape_request(const TuneArguments& a) {
  tuning::ShapeRequest request;
  if (!a.model.empty()) request.model = find_model(a.model);
  if (a.own_model) request.model = a.own_model;
  request.batch_sizes = a.batch_sizes;
  request.sequence_lengths = a.sequence_lengths;
  request.experts = a.experts;
  request.experts_per_token = a.experts_per_token;
  request.tensor_parallel = a.tensor_parallel;
  request.expert_parallel = a.expert_parallel;
  request.out_in_split = a.split == "in" ? tuning::Split::in : tuning::Split::out;
  request.dtype = a.dtype;
  request.shapes = a.shapes;
  request.quick = a.quick;
  request.skew = a.skew;
  request.routing = a.steps;
  if (!a.routing.empty()) request.routing = read_routing(a.routing);
  for (const std::string& pair : a.out_in) {
    const std::vector<std::string> sides = core::split(pair, '/');
    if (sides.size() != 2) throw UsageError("--out-in-features: \"" + pair + "\" is not OUT/IN");
    request.out_in.emplace_back(whole("--out-in-features", sides[0]), whole("--out-in-features", sides[1]));
  }
  for (const std::string& value : a.values) {
    const std::size_t equals = value.find('=');
    if (equals == std::string::npos || equals + 1 == value.size())
      throw UsageError("--set: \"" + value + "\" is not NAME=VALUE");
    request.values[value.substr(0, equals)] = core::split(value.substr(equals + 1), ',');
  }
  request.block_shape = a.block_shape;
  return request;
}

tuning::RaceOptions race_options(const TuneArguments& a) {
  tuning::RaceOptions options;
  options.warm_up = a.warm_up;
  options.rounds_max = a.rounds > 0 ? a.rounds : a.quick ? 12 : 30;
  if (a.confirm > 0) options.confirm_rounds = a.confirm;
  options.error = a.error;
  options.tie = a.tie;
  options.exhaustive = a.exhaustive;
  options.default_only = a.no_tune;
  options.seed = a.seed;
  if (a.objective == "throughput") options.objective = tuning::RaceObjective::throughput;
  return options;
}

std::uint64_t memory_limit(const TuneArguments& a) {
  if (a.memory_limit.empty()) return std::numeric_limits<std::uint64_t>::max();
  constexpr std::string_view units = "KMGT";
  std::string_view number = a.memory_limit;
  std::uint64_t unit = 1;
  if (const std::size_t at = units.find(number.back()); at != std::string_view::npos) {
    unit = std::uint64_t{1} << (10 * (at + 1));
    number.remove_suffix(1);
  }
  const auto value = core::parse_number<std::uint64_t>(number);
  if (!value || *value > std::numeric_limits<std::uint64_t>::max() / unit)
    throw UsageError("--memory-limit: \"" + a.memory_limit +
                     "\" is not a number of bytes, such as 500M or 2G");
  return *value * unit;
}

tuning::SamplingOptions sampling_options(const TuneArguments& a) {
  if (a.cold && a.warm) throw UsageError("--cold and --warm exclude each other");
  tuning::SamplingOptions options;
  options.clock = a.clock == "cupti"   ? tuning::SampleClock::cupti
                  : a.clock == "graph" ? tuning::SampleClock::graph
                                       : tuning::SampleClock::events;
  options.launches = a.launches;
  options.cold = a.cold;
  options.warm = a.warm;
  options.seed = a.seed;
  return options;
}

std::vector<tuning::DeviceId> devices(const TuneArguments& a) {
  if (a.devices.empty()) return {tuning::default_device(a.family)};
  if (a.devices == "cpu") return {tuning::DeviceId{}};
  if (a.devices == "all") {
    const std::vector<tuning::DeviceId> all = tuning::devices_of(a.family);
    return all.empty() ? std::vector{tuning::DeviceId{}} : all;
  }
  std::vector<tuning::DeviceId> result;
  for (const std::string& ordinal : core::split(a.devices, ','))
    result.push_back({static_cast<int>(whole("--devices", ordinal))});
  if (result.empty()) throw UsageError("--devices: the list is empty");
  return result;
}

}  // namespace adaptive::cli
