// tuning_runs/NAME: what a run leaves.
//
//   trials.csv         every trial (tuning/trial_log.hpp)
//   results.json       a table: the winners, and what was measured of the others
//   run_metadata.json  what was run, by which command, on what, with which options; "state" is running,
//                      finished, or stopped
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

/// What trials depend on: a run can only be resumed with the same.
struct RunPlan {
  std::string family = {};
  std::string device = {};
  tuning::RaceOptions race = {};
  tuning::SamplingOptions sampling = {};
  tuning::SearchSpace space = {};
};

nlohmann::ordered_json to_json(const RunPlan& plan);
nlohmann::ordered_json to_json(const Fingerprint& fingerprint);
/// Of what a report needs: family, device, race. Throws `Error`.
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

  /// Makes the folder, for this process alone as long as this lives; with `anew` what an earlier run left
  /// there is removed. Throws `Error` where that was run with another plan, or is still running.
  void begin(const RunMetadata& run, bool anew);
  void write(const RunMetadata& run) const;

 private:
  std::filesystem::path path_;
  std::unique_ptr<table::FileLock> lock_;
};

}  // namespace adaptive::cli
