// tuning_runs/NAME: the files of a run.
//
//   trials.csv         every trial (tuning/trial_log.hpp)
//   results.json       a table with the winners and the measurements of the other candidates
//   run_metadata.json  the command, device and options of the run; "state" is running, finished, or stopped
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <adaptive/device.hpp>

#include "files/file_lock.hpp"
#include "tuning/bench/pruned_bench.hpp"
#include "tuning/measuring/sampling.hpp"
#include "tuning/race.hpp"

namespace adaptive::inline v1::cli {

/// The settings on which trials depend. A run can only be resumed with the same plan.
struct RunPlan {
  std::string family = {};
  std::string device = {};
  tuning::RaceOptions race = {};
  tuning::SamplingOptions sampling = {};
  tuning::SearchSpace space = {};
};

nlohmann::ordered_json to_json(const RunPlan& plan);
nlohmann::ordered_json to_json(const Fingerprint& fingerprint);
/// Reads the part of a plan that a report needs: family, device, race. Throws `Error`.
RunPlan parse_plan(const nlohmann::json& json, const std::string& source);

struct RunMetadata {
  std::string name = {};
  std::string state = "running";
  std::vector<std::string> command = {};
  std::vector<std::string> devices = {};
  Fingerprint fingerprint = {};
  RunPlan plan = {};
  std::vector<std::string> shapes = {};
  std::int64_t begin = 0, end = 0;  ///< seconds since 1970
};

class RunFolder {
 public:
  explicit RunFolder(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path trials() const { return path_ / "trials.csv"; }
  std::filesystem::path results() const { return path_ / "results.json"; }
  std::filesystem::path metadata() const { return path_ / "run_metadata.json"; }

  /// Creates the folder and reserves it for this process as long as the object lives. With `anew`, removes
  /// what an earlier run has left there. Throws `Error` if the earlier run had another plan or is still
  /// running.
  void begin(const RunMetadata& run, bool anew);
  void write(const RunMetadata& run) const;

 private:
  std::filesystem::path path_;
  std::unique_ptr<table::FileLock> lock_;
};

}  // namespace adaptive::cli
