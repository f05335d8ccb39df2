// The offline tuner: races the candidates of every shape and makes a table of the results.
//
// Example: a program tunes what its tables lack before it serves, for at most 20 seconds:
//
//   HostTarget target(*kernels::find_family("grouped_gemm"));
//   TrialLog log;                                   // in memory; with a path a killed run resumes
//   const std::vector<kernels::Shape> missing = missing_shapes(known, target, wanted);
//   const TuneResult result = tune({&target}, missing, log, {.seconds_max = 20.0});
//   table::write(to_table(result, now), "tables/tuned.json");
//   selector.load("tables/tuned.json");
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <adaptive/device.hpp>

#include "table/table.hpp"
#include "tuning/bench/pruned_bench.hpp"
#include "tuning/measuring/clock.hpp"
#include "tuning/queue/work_queue.hpp"
#include "tuning/race.hpp"
#include "tuning/trial_log.hpp"

namespace adaptive::inline v1::tuning {

struct TuneOptions {
  RaceOptions race = {};
  SearchSpace space = {};
  /// Names of the candidates to race at single shapes, in addition to the default. Other shapes race the
  /// whole space.
  std::map<kernels::Shape, std::vector<std::string>> only = {};
  double seconds_max = std::numeric_limits<double>::infinity();
  ClockFunction clock = {};  ///< for `seconds_max`; empty: the steady clock
  /// The queue that gives out the shapes, possibly to other processes too; null: a queue of this call.
  WorkQueue* queue = nullptr;
};

/// The outcome for one shape.
struct TunedShape {
  kernels::Shape shape = {};
  std::string name = {};  ///< kernels::to_string
  RaceResult race = {};
  double bytes = 0.0;       ///< minimum memory traffic of one launch
  double operations = 0.0;  ///< floating-point operations of one launch
  /// Set if the shape as a whole could not be measured.
  std::optional<TrialStatus> failure = {};
  std::string detail = {};
  std::size_t measured = 0;  ///< trials of this call; the others were in the log or come from the queue
  bool relisted = false;     ///< the log was begun with other candidates; those that are new were raced
  bool done = false;         ///< false if time ran out or no device was left
};

struct TuneResult {
  std::string operation = {};
  std::vector<kernels::Dimension> dimensions = {};
  Fingerprint fingerprint = {};
  std::vector<TunedShape> shapes = {};  ///< in the order of the request
  /// Devices that failed or differ from the first one: the reason, by index in the list of devices.
  std::map<std::size_t, std::string> left_out = {};
  std::vector<std::string> unused_space = {};  ///< result of UnusedSpace for the shapes opened here

  std::size_t count_done() const noexcept;
  /// Number of failed candidates and shapes by kind of failure.
  std::map<TrialStatus, std::size_t> failures() const;
};

/// Is told what happens. With several devices it is called from several threads, but never at the same time.
class TuneObserver {
 public:
  TuneObserver() = default;
  TuneObserver(const TuneObserver&) = delete;
  TuneObserver& operator=(const TuneObserver&) = delete;
  virtual ~TuneObserver() = default;

  /// `index` is the shape's place in the list.
  virtual void shape_begins(std::size_t /*index*/) {}
  virtual void progress(std::size_t /*index*/, const RaceProgress&) {}
  virtual void shape_ends(std::size_t /*index*/, const TunedShape&) {}
  virtual void device_left_out(std::size_t /*device*/, const std::string& /*why*/) {}
  /// Asked between rounds; true ends the run, which can be resumed.
  virtual bool stop() { return false; }
};

/// The fingerprint of the first device that answers. Throws `DeviceError` if none does.
Fingerprint fingerprint_of(const std::vector<Target*>& devices);

/// Takes shapes from the queue, one at a time on each device, until all are finished. Trials in `log` are not
/// measured again, and each trial is added to `log` before the next one begins; the trials of shapes that
/// another process has finished are added too. If a log was begun with other candidates, by another version
/// of the software, the trials of those that are left count, and the new ones are raced against them. If a
/// device fails, it is left out, and another one gets its shape. If no device is left, the remaining shapes
/// are not done.
///
/// Throws `Error` if the log cannot be written, or if the queue cannot be reached. Throws `DeviceError` if no
/// device can be used at all.
TuneResult tune(const std::vector<Target*>& devices, const std::vector<kernels::Shape>& shapes, TrialLog& log,
                const TuneOptions& options = {}, TuneObserver* observer = nullptr);

/// The result from the log alone, for the shapes whose trials are all in the log.
TunedShape retell(TrialLog& log, const std::string& operation, const std::string& shape,
                  const RaceOptions& options);

/// A table with count, mean, variance and location of every measured candidate, and the winners as
/// incumbents. Candidates that failed have a failure of that time, so that programs do not try them and the
/// next run does not race them again. Shapes where all candidates failed are left out. `time` is in seconds
/// since 1970.
table::Table to_table(const TuneResult& result, std::int64_t time);

/// The shapes whose key has no measured entry in `table`; a neighbour does not count. Dimensions and labels
/// are matched by name. If the table has other dimensions, all shapes are missing.
std::vector<kernels::Shape> missing_shapes(const table::Table& table, const Target& target,
                                           const std::vector<kernels::Shape>& shapes);

/// By shape that has a measured entry in `table`: the candidates in `space` that were never tried at this
/// shape, and the variants that the entry stands for, with which the new ones have to be compared. In an
/// entry that a program has adapted, or that names its winner alone, the variants that the table declares
/// count as tried. Shapes without new candidates, and those that the target cannot open, are absent. Asks the
/// device. Throws `DeviceError`.
std::map<kernels::Shape, std::vector<std::string>> new_candidates(const table::Table& table, Target& target,
                                                                  const std::vector<kernels::Shape>& shapes,
                                                                  const SearchSpace& space);

/// Sets is_best in the log.
void mark_best(TrialLog& log, const TuneResult& result);

}  // namespace adaptive::tuning
