// The offline tuner: races the candidates of every shape and makes a table of what it finds.
//
// As a program that tunes what its tables lack before it serves, for at most 20 seconds:
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

namespace adaptive::tuning {

struct TuneOptions {
  RaceOptions race = {};
  SearchSpace space = {};
  double seconds_max = std::numeric_limits<double>::infinity();
  ClockFunction clock = {};  ///< for `seconds_max`; empty: the steady one
  /// Gives out the shapes, perhaps to other processes too; null: one of this call's own.
  WorkQueue* queue = nullptr;
};

/// What became of one shape.
struct TunedShape {
  kernels::Shape shape = {};
  std::string name = {};  ///< kernels::to_string
  RaceResult race = {};
  double bytes = 0.0;       ///< compulsory memory traffic of one launch
  double operations = 0.0;  ///< floating-point operations of one launch
  /// The shape as a whole could not be measured.
  std::optional<TrialStatus> failure = {};
  std::string detail = {};
  std::size_t measured = 0;  ///< trials made by this call; the others were in the log, or come from the queue
  bool done = false;         ///< else time ran out, or no device was left
};

struct TuneResult {
  std::string operation = {};
  std::vector<kernels::Dimension> dimensions = {};
  Fingerprint fingerprint = {};
  std::vector<TunedShape> shapes = {};  ///< in the order asked for
  /// Devices that failed, or that are not like the first one: why, by their place in the list.
  std::map<std::size_t, std::string> left_out = {};
  std::vector<std::string> unused_space = {};  ///< as UnusedSpace has it, of the shapes opened here

  std::size_t count_done() const noexcept;
  /// Failed candidates and shapes by kind.
  std::map<TrialStatus, std::size_t> failures() const;
};

/// Told what happens. With several devices from several threads, but one at a time.
class TuneObserver {
 public:
  TuneObserver() = default;
  TuneObserver(const TuneObserver&) = delete;
  TuneObserver& operator=(const TuneObserver&) = delete;
  virtual ~TuneObserver() = default;

  /// `index` in the list of shapes.
  virtual void shape_begins(std::size_t /*index*/) {}
  virtual void progress(std::size_t /*index*/, const RaceProgress&) {}
  virtual void shape_ends(std::size_t /*index*/, const TunedShape&) {}
  virtual void device_left_out(std::size_t /*device*/, const std::string& /*why*/) {}
  /// Asked between rounds; true ends the run, which can be resumed.
  virtual bool stop() { return false; }
};

/// Of the first device that answers. Throws `DeviceError` where none does.
Fingerprint fingerprint_of(const std::vector<Target*>& devices);

/// Takes the shapes from the queue, one at a time on each device, until all are finished. What `log` holds is
/// not measured again, and each trial is in `log` before the next begins; so are the trials of shapes that
/// another process has finished. A device that fails is left out, and its shape goes to another; with no
/// device left the remaining shapes are not done.
///
/// Throws `Error` where the log cannot be written, or was begun with other candidates, or where the queue
/// cannot be reached; `DeviceError` where no device could be used at all.
TuneResult tune(const std::vector<Target*>& devices, const std::vector<kernels::Shape>& shapes, TrialLog& log,
                const TuneOptions& options = {}, TuneObserver* observer = nullptr);

/// The same from the log alone: what it says of shapes that it has completely.
TunedShape retell(TrialLog& log, const std::string& operation, const std::string& shape,
                  const RaceOptions& options);

/// Count, mean, variance and location of every candidate that was measured, and the winner as incumbent.
/// Nothing of shapes where all failed. `time`: seconds since 1970.
table::Table to_table(const TuneResult& result, std::int64_t time);

/// Those without a measured entry in `table`: the key itself, not a neighbour. Dimensions and labels are
/// matched by name; all shapes where the table's dimensions are other ones.
std::vector<kernels::Shape> missing_shapes(const table::Table& table, const Target& target,
                                           const std::vector<kernels::Shape>& shapes);

/// Sets is_best in the log.
void mark_best(TrialLog& log, const TuneResult& result);

}  // namespace adaptive::tuning
