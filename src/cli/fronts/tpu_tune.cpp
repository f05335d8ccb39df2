// tpu-tune apply RUN | quantized-matmul --batch-sizes B,B --out-in-features O/I,O/I … | rpa-v3 …
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <adaptive/device.hpp>
#include <adaptive/error.hpp>
#include <adaptive/tables.hpp>

#include "cli/fronts/fronts.hpp"
#include "cli/tables/apply_command.hpp"
#include "cli/tune/tune_command.hpp"
#include "files/system_error.hpp"
#include "tuning/shapes.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;

struct TpuTune {
  ApplyArguments apply;
  CLI::App* applies = nullptr;
  CLI::App* matmul = nullptr;
  TuneArguments tuned;
  std::string x_type = "int8", w_type = "int8", method = "amortized";
  // Of attention. The heads are those of the whole model.
  std::int64_t page_size = 128, head_size = 128, q_heads = 128, kv_heads = 1, context = 1024;
};

constexpr const char* quantized_family = "quantized_matmul";
constexpr const char* attention_family = "ragged_paged_attention";
// The registry's keys do not have the size of a step: one step is tuned, in which three sequences have one
// token and the longest has a chunk of its prompt.
constexpr std::int64_t step_sequences = 4, step_tokens = 16;
constexpr int amortized_launches = 10;  // on processors, a launch has next to no overhead to hide

// The types of tpu-inference's kernel, whose weights have a scale for each channel, as our label.
std::string types_of(const std::string& x, const std::string& w) {
  const auto is_float8 = [](const std::string& type) {
    return tuning::normalised_dtype(type) == "float8_e4m3";
  };
  if (w == "int8" && x == "int8") return "int8_w8a8";
  if (w == "int8" && tuning::normalised_dtype(x) == "bfloat16") return "int8_w8a16";
  if (is_float8(w) && is_float8(x)) return "fp8_w8a8";
  throw UsageError(
      "--x-q-dtype " + x + " --w-q-dtype " + w +
      ": quantized_matmul has int8 and int8, bfloat16 and int8, float8_e4m3fn and float8_e4m3fn; "
      "`adaptive tune mixed_bit_matmul` has weights of 2, 3, 4 and 8 bits");
}

Exit tune_family(const char* family, const TpuTune& a, TuneArguments tuned, const Streams& streams) {
  tuned.family = family;
  tuned.launches = a.method == "amortized" ? amortized_launches : 1;
  if (tuned.run_name == "auto") tuned.run_name.clear();
  return tune(tuned, streams);
}

Exit tune_matmul(const TpuTune& a, const Streams& streams) {
  TuneArguments tuned = a.tuned;
  tuned.dtype = types_of(a.x_type, a.w_type);
  return tune_family(quantized_family, a, tuned, streams);
}

Exit tune_attention(const TpuTune& a, const Streams& streams) {
  TuneArguments tuned = a.tuned;
  tuned.own_model = tuning::Model{
      .name = "--num-q-heads " + std::to_string(a.q_heads) + " --num-kv-heads " + std::to_string(a.kv_heads),
      .attention_heads = a.q_heads,
      .key_value_heads = a.kv_heads,
      .head_dim = a.head_size,
      .dtype = "bfloat16"};
  tuned.batch_sizes = {step_sequences};
  tuned.sequence_lengths = {a.context};
  tuned.values = {"page_size=" + std::to_string(a.page_size),
                  "tokens=" + std::to_string(std::min(step_tokens, step_sequences - 1 + a.context))};
  return tune_family(attention_family, a, tuned, streams);
}

void add_common_options(CLI::App& command, TpuTune& a) {
  command.add_option("--tp-size", a.tuned.tensor_parallel, "Number of devices that share each weight")
      ->check(CLI::Range(1, 4096));
  command
      .add_option("--benchmarking-method", a.method,
                  "amortized: the mean of ten launches; xprof: single launches")
      ->check(CLI::IsMember({"amortized", "xprof"}))
      ->capture_default_str();
  command.add_option("--run-name", a.tuned.run_name, "Name of the folder in tuning_runs");
  command.add_flag("--update-registry", a.tuned.update,
                   "Also write the winners to the table that programs on this device read");
}

void add_matmul_options(CLI::App& command, TpuTune& a) {
  TuneArguments& tuned = a.tuned;
  command.add_option("--batch-sizes", tuned.batch_sizes, "Batch sizes")
      ->required()
      ->delimiter(',')
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 24));
  command.add_option("--out-in-features", tuned.out_in, "Output and input features: OUT/IN,OUT/IN…")
      ->required()
      ->delimiter(',')
      ->type_name("OUT/IN");
  command.add_option("--tp-split-dim", tuned.split, "The side of --out-in-features that is split")
      ->check(CLI::IsMember({"out", "in"}))
      ->capture_default_str();
  command.add_option("--x-q-dtype", a.x_type, "Type of the activations")->capture_default_str();
  command.add_option("--w-q-dtype", a.w_type, "Type of the weights")->capture_default_str();
  add_common_options(command, a);
}

void add_attention_options(CLI::App& command, TpuTune& a) {
  const auto size = [&](const char* option, std::int64_t& value, std::int64_t max, const char* what) {
    command.add_option(option, value, what)->check(CLI::Range(std::int64_t{1}, max))->capture_default_str();
  };
  size("--page-size", a.page_size, 1 << 16, "Positions of a page of the cache");
  size("--head-dim", a.head_size, 1 << 16, "Size of a head");
  size("--num-q-heads", a.q_heads, 1 << 16, "Query heads of the model, before --tp-size divides them");
  size("--num-kv-heads", a.kv_heads, 1 << 16, "Key/value heads, likewise");
  size("--max-model-len", a.context, 1 << 24, "Tokens of the longest sequence");
  add_common_options(command, a);
}

// The table that `adaptive tune --update` would have changed.
fs::path table_of_device(const table::Table& source, const fs::path& file) {
  if (source.operations.size() != 1)
    throw Error(ErrorCode::invalid_argument, "does not have exactly one operation", file.string(),
                "use `adaptive apply SOURCE TABLE`, which names the table");
  const TableSearch search = TableSearch::standard();
  const fs::path folder = search.places.empty() ? user_tables() : search.places.front();
  if (folder.empty())
    throw UsageError(
        "HOME is not set, so there is no folder for the table; use `adaptive apply SOURCE TABLE`");
  return folder / normalised_device(source.fingerprint.device) / (source.operations.begin()->first + ".json");
}

void make_table_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw Error(table::error_code_of(error.value()), "cannot be created: " + error.message(),
                folder.string());
}

Exit tpu_tune(const TpuTune& a, const Streams& streams) {
  if (!a.applies->parsed()) return a.matmul->parsed() ? tune_matmul(a, streams) : tune_attention(a, streams);
  ApplyArguments apply_arguments = a.apply;
  const table::Table source = table_to_apply(apply_arguments.source, streams);
  if (apply_arguments.table.empty()) {
    apply_arguments.table = table_of_device(source, apply_arguments.source);
    make_table_folder(apply_arguments.table.parent_path());
  }
  return apply(source, apply_arguments, streams);
}

}  // namespace

Command add_tpu_tune(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("tpu-tune", "The commands of tpu-inference's tuner.");
  command->group(front_group)->require_subcommand(1);
  const auto a = std::make_shared<TpuTune>();
  a->applies = command->add_subcommand("apply", "Copies faster entries of a run to the device's table.");
  a->applies
      ->add_option("source", a->apply.source, "results.json of a run, its folder, or a file of tuned data")
      ->required()
      ->type_name("RESULTS");
  a->applies
      ->add_option("--table", a->apply.table, "The table to change; default: the one that programs read")
      ->type_name("TABLE");
  a->matmul = command->add_subcommand("quantized-matmul", "Tunes products with weights of one byte.");
  add_matmul_options(*a->matmul, *a);
  add_attention_options(*command->add_subcommand("rpa-v3", "Tunes ragged paged attention."), *a);
  return {command, [a](const Streams& streams) { return tpu_tune(*a, streams); }};
}

}  // namespace adaptive::cli
