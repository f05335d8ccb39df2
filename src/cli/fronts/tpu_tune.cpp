// tpu-tune apply RUN | quantized-matmul … | rpa-v3 …
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <adaptive/device.hpp>
#include <adaptive/error.hpp>
#include <adaptive/tables.hpp>

#include "cli/fronts/fronts.hpp"
#include "cli/tables/apply_command.hpp"
#include "files/system_error.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;

struct TpuTune {
  ApplyArguments apply;
  CLI::App* applies = nullptr;
  CLI::App* matmul = nullptr;
};

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
    if (a.matmul->parsed())
      refuse("quantized-matmul", "quantized_matmul",
             "`adaptive tune mixed_bit_matmul --save-as tpu-inference DIR` tunes weights of 4 and 8 bits");
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
  a->matmul = command->add_subcommand("quantized-matmul", "Waits for its kernel family.");
  CLI::App* const attention = command->add_subcommand("rpa-v3", "Waits for its kernel family.");
  for (CLI::App* waiting : {a->matmul, attention}) waiting->allow_extras();
  return {command, [a](const Streams& streams) { return tpu_tune(*a, streams); }};
}

}  // namespace adaptive::cli
