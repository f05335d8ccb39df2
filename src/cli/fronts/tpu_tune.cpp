// tpu-tune apply RUN | quantized-matmul --batch-sizes B,B --out-in-features O/I,O/I … | rpa-v3 …
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
};

constexpr const char* quantized_family = "quantized_matmul";
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

Exit tune_matmul(const TpuTune& a, const Streams& streams) {
  TuneArguments tuned = a.tuned;
  tuned.family = quantized_family;
  tuned.dtype = types_of(a.x_type, a.w_type);
  tuned.launches = a.method == "amortized" ? amortized_launches : 1;
  if (tuned.run_name == "auto") tuned.run_name.clear();
  return tune(tuned, streams);
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
  command.add_option("--tp-size", tuned.tensor_parallel, "Number of devices that share each weight")
      ->check(CLI::Range(1, 4096));
  command.add_option("--tp-split-dim", tuned.split, "The side of --out-in-features that is split")
      ->check(CLI::IsMember({"out", "in"}))
      ->capture_default_str();
  command.add_option("--x-q-dtype", a.x_type, "Type of the activations")->capture_default_str();
  command.add_option("--w-q-dtype", a.w_type, "Type of the weights")->capture_default_str();
  command
      .add_option("--benchmarking-method", a.method,
                  "amortized: the mean of ten launches; xprof: single launches")
      ->check(CLI::IsMember({"amortized", "xprof"}))
      ->capture_default_str();
  command.add_option("--run-name", tuned.run_name, "Name of the folder in tuning_runs");
  command.add_flag("--update-registry", tuned.update,
                   "Also write the winners to the table that programs on this device read");
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

[[noreturn]] void refuse(const std::string& command, const std::string& family, const std::string& instead) {
  throw UsageError("tpu-tune " + command + ": this version has no kernel family " + family +
                   ", so none of the "
                   "command's options has an effect yet; " +
                   instead);
}

Exit tpu_tune(const TpuTune& a, const Streams& streams) {
  if (!a.applies->parsed()) {
    if (a.matmul->parsed()) return tune_matmul(a, streams);
    refuse("rpa-v3", "ragged_paged_attention", "`adaptive lookup --like tpu-inference` reads tables of it");
  }
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
  command->add_subcommand("rpa-v3", "Waits for its kernel family.")->allow_extras();
  return {command, [a](const Streams& streams) { return tpu_tune(*a, streams); }};
}

}  // namespace adaptive::cli
