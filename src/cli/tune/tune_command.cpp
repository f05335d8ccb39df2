// adaptive tune FAMILY [options]
#include "cli/tune/tune_command.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <map>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>
#include <adaptive/tables.hpp>
#include <adaptive/version.hpp>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/models/model_file.hpp"
#include "cli/output.hpp"
#include "cli/tune/arguments.hpp"
#include "cli/tune/check.hpp"
#include "cli/tune/console.hpp"
#include "cli/tune/input_files.hpp"
#include "cli/tune/progress.hpp"
#include "cli/tune/queue.hpp"
#include "cli/tune/results.hpp"
#include "cli/tune/run_folder.hpp"
#include "cli/tune/save_as.hpp"
#include "files/system_error.hpp"
#include "table/comparing/apply.hpp"
#include "table/update.hpp"
#include "tuning/queue/board.hpp"
#include "tuning/tuner.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;

std::int64_t now() {
  return static_cast<std::int64_t>(std::time(nullptr));
}

LogLevel level_of(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "info") return LogLevel::info;
  return name == "warning" ? LogLevel::warning : LogLevel::error;
}

class Tune {
 public:
  Tune(const TuneArguments& arguments, const Streams& streams)
      : arguments_(arguments),
        streams_(streams),
        console_(streams.err, {.level = level_of(arguments.log_level),
                               .quiet = arguments.quiet,
                               .terminal = is_terminal(streams.err),
                               .file = arguments.log_file}) {}

  Exit run() {
    make_targets();
    if (!arguments_.queue.empty()) {
      if (!arguments_.check.empty()) throw UsageError("--check and --queue exclude each other");
      tuning::parse_board_address(arguments_.queue);
    }
    if (!arguments_.check.empty())
      return check_table({.table = arguments_.check,
                          .entries = arguments_.check_entries,
                          .tolerance = arguments_.tolerance,
                          .race = race_options(arguments_),
                          .json = arguments_.json},
                         *targets_.front(), console_, streams_.out);
    choose_shapes();
    if (arguments_.dry_run) return tell_plan();
    if (arguments_.update) make_tables_folder();
    begin_run();
    measure();
    return finish();
  }

 private:
  void make_targets() {
    const tuning::SamplingOptions sampling = sampling_options(arguments_);
    devices_ = devices(arguments_);
    if (sampling.clock != tuning::SampleClock::events &&
        std::any_of(devices_.begin(), devices_.end(),
                    [](tuning::DeviceId device) { return device.is_host(); }))
      throw UsageError("--timing " + arguments_.clock +
                       " is only for GPUs; the processor is timed with its steady clock");
    for (const tuning::DeviceId device : devices_) {
      if (arguments_.in_process) {
        targets_.push_back(tuning::make_target(arguments_.family, device, sampling));
        continue;
      }
      tuning::IsolationOptions isolation{.seconds_max = arguments_.trial_seconds};
      if (device.is_host()) isolation.memory_max = host_memory();
      targets_.push_back(tuning::make_isolated_target(arguments_.family, device, sampling, isolation));
    }
  }

  // Limits memory so that a shape that is too large fails by itself, before the system kills a process.
  static std::size_t host_memory() {
    const long pages = ::sysconf(_SC_PHYS_PAGES), size = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(size) : 0;
  }

  tuning::Target& target() { return *targets_.front(); }
  std::vector<tuning::Target*> pointers() const {
    std::vector<tuning::Target*> all;
    for (const auto& each : targets_) all.push_back(each.get());
    return all;
  }

  /// The path of the device's table of the family, which --update changes and which contains what is known
  /// already. It is in the first folder that programs search, unless --tables names another one. Empty if
  /// there is no such folder.
  fs::path table_path() {
    fs::path folder = arguments_.tables;
    if (folder.empty()) {
      const TableSearch search = TableSearch::standard();
      folder = search.places.empty() ? user_tables() : search.places.front();
    }
    if (folder.empty()) return {};
    return folder / normalised_device(fingerprint_.device) / (target().name() + ".json");
  }

  void choose_shapes() {
    if (!arguments_.model.empty())
      for (const fs::path& folder : own_model_folders())
        if (!fs::is_directory(folder))
          console_.say(LogLevel::warning, "ADAPTIVE_MODELS: " + folder.string() + " is not a folder");
    const tuning::ShapeRequest request = shape_request(arguments_);
    save_as_ = save_as(arguments_, request, target().name());
    const tuning::ShapeList list = tuning::make_shapes(target(), request);
    for (const std::string& warning : list.warnings) console_.say(LogLevel::warning, warning);
    try {
      fingerprint_ = tuning::fingerprint_of(pointers());
    } catch (const tuning::DeviceError& e) {
      throw Error(ErrorCode::failed, "cannot be used: " + std::string(e.what()), to_string(devices_.front()));
    }
    table_path_ = table_path();
    if (table_path_.empty() && arguments_.update)
      throw UsageError(
          "--update: HOME is not set, so there is no folder for the table; give one with --tables");
    if (!table_path_.empty() && fs::exists(table_path_)) {
      table::ReadResult read = table::read(table_path_);
      if (!arguments_.quiet) print_notices(read.notices, streams_.err);
      known_ = std::move(read.table);
    }
    shapes_ = wanted_ = list.shapes;
    if (!arguments_.force && !arguments_.no_tune) leave_known_shapes_out(known_);
    skipped_ = list.shapes.size() - shapes_.size();
    for (const kernels::Shape& shape : shapes_)
      names_.push_back(kernels::to_string(target().dimensions(), shape));
    if (skipped_ > 0)
      console_.say(LogLevel::info, fmt::format("{} of {} shapes are in {} already; --force tunes them again",
                                               skipped_, list.shapes.size(), table_path_.string()));
  }

  // A shape that the table has is tuned again if the family has got new variants, but only for those.
  void leave_known_shapes_out(const table::Table& known) {
    const std::vector<kernels::Shape> missing = tuning::missing_shapes(known, target(), shapes_);
    only_ = tuning::new_candidates(known, target(), shapes_, search_space());
    std::erase_if(shapes_, [&](const kernels::Shape& shape) {
      return !only_.contains(shape) && std::find(missing.begin(), missing.end(), shape) == missing.end();
    });
    if (!only_.empty())
      console_.say(LogLevel::info,
                   fmt::format("{} shapes are raced again, but only for variants that {} lacks", only_.size(),
                               table_path_.string()));
  }

  // Takes the work of the queue's first worker if there is one. Between the look and the joining another
  // worker may become the first.
  void join() {
    std::vector<std::string> wanted;
    for (const kernels::Shape& shape : wanted_)
      wanted.push_back(kernels::to_string(target().dimensions(), shape));
    for (int attempt = 0; queue_ == nullptr; ++attempt) {
      if (const auto begun = begun_work(arguments_, wanted)) take_up(*begun, wanted);
      if (shapes_.empty()) return;  // nobody has begun the queue, and the table has everything
      try {
        queue_ = join_queue(arguments_, run_, wanted, only_);
      } catch (const Error& error) {
        if (attempt > 0 || error.code() != ErrorCode::mismatch) throw;
      }
    }
  }

  void take_up(const QueueWork& work, const std::vector<std::string>& wanted) {
    run_.shapes = names_ = work.shapes;
    only_ = work.only;
    shapes_.clear();
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (std::find(names_.begin(), names_.end(), wanted[i]) != names_.end()) shapes_.push_back(wanted_[i]);
    skipped_ = wanted_.size() - shapes_.size();
  }

  tuning::SearchSpace search_space() const {
    tuning::SearchSpace space;
    if (!arguments_.space.empty()) space = read_search_space(arguments_.space);
    if (arguments_.keep_numeric_class) space.mix_numeric_classes = false;
    space.memory_limit = memory_limit(arguments_);
    return space;
  }

  Exit tell_plan() {
    if (arguments_.json) {
      print_json({{"family", target().name()},
                  {"device", fingerprint_.device},
                  {"skipped", skipped_},
                  {"raced_again", only_.size()},
                  {"shapes", names_},
                  {"table", table_path_.string()}},
                 streams_.out);
      return exit_ok;
    }
    streams_.out << fmt::format("{} on {}: {} shapes would be tuned\n", target().name(), fingerprint_.device,
                                names_.size());
    for (const std::string& name : names_) streams_.out << "  " << name << "\n";
    return exit_ok;
  }

  void begin_run() {
    run_.begin = now();
    run_.name = arguments_.run_name;
    if (run_.name.empty() && !arguments_.queue.empty()) run_.name = worker_run_name(arguments_.queue);
    if (run_.name.empty()) {
      char text[32];
      const std::time_t time = run_.begin;
      std::tm parts{};
      std::strftime(text, sizeof text, "%Y%m%d-%H%M%S", ::gmtime_r(&time, &parts));
      run_.name = target().name() + "-" + text;
      const std::string first = run_.name;
      for (int number = 2; fs::exists(arguments_.runs / run_.name); ++number)
        run_.name = first + "-" + std::to_string(number);
    }
    if (run_.name.find('/') != std::string::npos || run_.name == "." || run_.name == "..")
      throw UsageError("--run-name must be a name, not a path");
    run_.command = streams_.arguments;
    for (const tuning::DeviceId device : devices_) run_.devices.push_back(to_string(device));
    run_.fingerprint = fingerprint_;
    run_.shapes = names_;
    run_.plan = {.family = target().name(),
                 .device = fingerprint_.device,
                 .race = race_options(arguments_),
                 .sampling = sampling_options(arguments_),
                 .space = search_space()};
    if (!arguments_.queue.empty()) join();
    folder_ = std::make_unique<RunFolder>(arguments_.runs / run_.name);
    folder_->begin(run_, arguments_.force);
    console_.say(LogLevel::info, fmt::format("{} on {}: {} shapes, in {}", target().name(),
                                             fingerprint_.device, shapes_.size(), folder_->path().string()));
  }

  void measure() {
    log_ = std::make_unique<tuning::TrialLog>(folder_->trials());
    if (log_->size() > 0)
      console_.say(LogLevel::info, fmt::format("resumed: {} trials are not measured again", log_->size()));
    tuning::TuneOptions options{.race = run_.plan.race, .space = run_.plan.space, .only = only_};
    if (arguments_.seconds_max > 0.0) options.seconds_max = arguments_.seconds_max;
    options.queue = queue_.get();
    TuneProgress progress(console_, devices_, names_);
    result_ = tuning::tune(pointers(), shapes_, *log_, options, &progress);
    result_.fingerprint = fingerprint_;
    for (const std::string& name : result_.unused_space)
      console_.say(LogLevel::warning,
                   fmt::format("{}: no candidate has {}", arguments_.space.string(), name));
  }

  Exit finish() {
    const std::size_t done = result_.count_done();
    run_.end = now();
    run_.state = done == shapes_.size() ? "finished" : "stopped";
    const table::Table found = tuning::to_table(result_, run_.end);
    tuning::mark_best(*log_, result_);
    for (const table::Notice& notice : table::unprintable(found))
      console_.say(notice.level, notice.where + ": " + notice.what);
    if (!arguments_.no_tune) table::write(found, folder_->results());
    folder_->write(run_);
    if (arguments_.update && !arguments_.no_tune) update(found);
    const bool all_saved = !save_as_ || save(found);
    if (arguments_.json)
      tell_as_json();
    else
      tell_as_text();
    if (done < shapes_.size() && result_.left_out.size() == targets_.size()) return exit_check;
    const bool all_have_one =
        std::all_of(result_.shapes.begin(), result_.shapes.end(),
                    [](const auto& shape) { return !shape.done || shape.race.best.has_value(); });
    return all_have_one && all_saved ? exit_ok : exit_check;
  }

  // Called before anything is measured, so that a user who cannot write the tables is told at once.
  void make_tables_folder() const {
    std::error_code error;
    fs::create_directories(table_path_.parent_path(), error);
    if (error)
      throw Error(table::error_code_of(error.value()), "cannot be created: " + error.message(),
                  table_path_.parent_path().string());
  }

  void update(const table::Table& found) {
    const bool again = arguments_.force || !only_.empty();
    const auto change = [&](table::Table& table) {
      for (const table::AppliedEntry& entry :
           table::apply(table, found, again ? table::Known::replaced : table::Known::kept)) {
        (entry.accepted ? accepted_ : refused_) += 1;
        measured_again_ += entry.measured_again ? 1 : 0;
        console_.say(LogLevel::debug, fmt::format("{} {}: {}", entry.accepted ? "accepted" : "skipped",
                                                  entry.key, entry.reason));
      }
      if (accepted_ + measured_again_ == 0) return false;
      // Candidates that failed or lost are declared, so that the next run knows that they are not new.
      for (const auto& [name, operation] : found.operations)
        if (const auto mine = table.operations.find(name); mine != table.operations.end())
          mine->second.variants.insert(operation.variants.begin(), operation.variants.end());
      table.tool = std::string("adaptive ") + library_version;
      return true;
    };
    for (const table::Notice& notice : table::update(table_path_, change))
      console_.say(notice.level, notice.where + ": " + notice.what);
  }

  /// Returns whether any winner could be written.
  bool save(const table::Table& found) {
    const ExportResult result =
        save_files(known_after(known_, found, target(), wanted_), save_as_->request, save_as_->output);
    for (const table::Notice& notice : result.files.notices)
      console_.say(notice.level, notice.where + ": " + notice.what);
    saved_ = result.files.files;
    if (saved_.empty())
      console_.say(LogLevel::error, fmt::format("--save-as {}: no winner can be written", save_as_->format));
    return !saved_.empty();
  }

  double kernel_seconds() const {
    double us = 0.0;
    for (const tuning::TunedShape& shape : result_.shapes) us += shape.race.kernel_us;
    return us / 1e6;
  }
  std::size_t trials() const {
    std::size_t count = 0;
    for (const tuning::TunedShape& shape : result_.shapes) count += shape.race.trials;
    return count;
  }

  std::size_t relisted() const {
    return static_cast<std::size_t>(std::count_if(result_.shapes.begin(), result_.shapes.end(),
                                                  [](const auto& shape) { return shape.relisted; }));
  }

  std::size_t raced_again() const {
    return static_cast<std::size_t>(
        std::count_if(result_.shapes.begin(), result_.shapes.end(),
                      [&](const auto& shape) { return shape.done && only_.contains(shape.shape); }));
  }

  void tell_as_text() {
    if (result_.count_done() > 0) print_results(result_, streams_.out);
    streams_.out << fmt::format("\n{}: {} of {} shapes, {} trials, {:.2f} s of kernel time\n",
                                folder_->path().string(), result_.count_done(), shapes_.size(), trials(),
                                kernel_seconds());
    if (!only_.empty())
      streams_.out << fmt::format("{} of them raced again, for variants that {} lacked only\n", raced_again(),
                                  table_path_.string());
    if (relisted() > 0)
      streams_.out << fmt::format(
          "{} of them had other candidates when the run began; the new ones were raced against what was "
          "measured\n",
          relisted());
    if (const std::string failures = failure_summary(result_); !failures.empty())
      streams_.out << failures << "\n";
    if (result_.count_done() < shapes_.size())
      streams_.out << fmt::format("stopped; the same command with --run-name {} continues the run\n",
                                  run_.name);
    if (arguments_.update)
      streams_.out << fmt::format("{}: {} accepted, {} skipped, {} measured again\n", table_path_.string(),
                                  accepted_, refused_, measured_again_);
    for (const table::formats::ExportedFile& file : saved_)
      streams_.out << fmt::format("{}: {}\n", place_of(save_as_->output, file).string(),
                                  file.changed ? "written" : "unchanged");
  }

  void tell_as_json() {
    Json json = {
        {"run", folder_->path().string()}, {"state", run_.state}, {"family", target().name()},
        {"device", fingerprint_.device},   {"skipped", skipped_}, {"raced_again", raced_again()},
        {"other_candidates", relisted()},  {"trials", trials()},  {"kernel_seconds", kernel_seconds()}};
    Json failures = Json::object();
    for (const auto& [status, count] : result_.failures()) failures[std::string(to_string(status))] = count;
    json["failures"] = failures;
    Json left_out = Json::array();
    for (const auto& [device, why] : result_.left_out)
      left_out.push_back({{"device", to_string(devices_[device])}, {"why", why}});
    json["left_out"] = left_out;
    if (arguments_.update)
      json["update"] = {{"table", table_path_.string()},
                        {"accepted", accepted_},
                        {"skipped", refused_},
                        {"measured_again", measured_again_}};
    if (save_as_) {
      json["saved"] = Json::array();
      for (const table::formats::ExportedFile& file : saved_)
        json["saved"].push_back(
            {{"file", place_of(save_as_->output, file).string()}, {"changed", file.changed}});
    }
    Json shapes = Json::array();
    for (const tuning::TunedShape& shape : result_.shapes) shapes.push_back(tuned_shape_json(shape));
    json["shapes"] = shapes;
    print_json(json, streams_.out);
  }

  const TuneArguments& arguments_;
  const Streams& streams_;
  Console console_;
  std::vector<tuning::DeviceId> devices_;
  std::vector<std::unique_ptr<tuning::Target>> targets_;
  Fingerprint fingerprint_;
  fs::path table_path_;
  table::Table known_;                  ///< the device's table before the run
  std::vector<kernels::Shape> wanted_;  ///< all shapes of the request
  std::vector<kernels::Shape> shapes_;  ///< those to be raced
  std::optional<SaveAs> save_as_;
  std::vector<table::formats::ExportedFile> saved_;
  std::vector<std::string> names_;
  /// The candidates to race at shapes that the table has, because it lacks new variants.
  std::map<kernels::Shape, std::vector<std::string>> only_;
  std::size_t skipped_ = 0;
  RunMetadata run_;
  std::unique_ptr<tuning::WorkQueue> queue_;
  std::unique_ptr<RunFolder> folder_;
  std::unique_ptr<tuning::TrialLog> log_;
  tuning::TuneResult result_;
  std::size_t accepted_ = 0, refused_ = 0, measured_again_ = 0;
};

}  // namespace

Exit tune(const TuneArguments& arguments, const Streams& streams) {
  return Tune(arguments, streams).run();
}

Command add_tune(CLI::App& app) {
  CLI::App* const command = app.add_subcommand(
      "tune", "Finds the fastest variant of a kernel family for every shape, with few launches.");
  const auto arguments = std::make_shared<TuneArguments>();
  add_options(*command, *arguments);
  return {command, [arguments](const Streams& streams) { return tune(*arguments, streams); }};
}

}  // namespace adaptive::cli
