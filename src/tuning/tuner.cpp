#include "tuning/tuner.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

#include <adaptive/error.hpp>
#include <adaptive/version.hpp>

#include "base/fnv1a.hpp"
#include "table/comparing/proof.hpp"
#include "table/merging/align.hpp"
#include "tuning/bench/logged_bench.hpp"
#include "tuning/cuda_operation.hpp"

namespace adaptive::inline v1::tuning {
namespace {

// The random orders of a shape must not depend on the other shapes of the run.
std::uint64_t seed_of(std::uint64_t seed, std::string_view name) {
  return core::Fnv1a(seed).add(name).value();
}

class Tuner {
 public:
  Tuner(const std::vector<Target*>& devices, const std::vector<kernels::Shape>& shapes, TrialLog& log,
        const TuneOptions& options, TuneObserver* observer)
      : devices_(devices),
        log_(log),
        options_(options),
        observer_(observer != nullptr ? *observer : silent_),
        clock_(clock_or_steady(options.clock)),
        begin_(clock_()),
        memory_(devices.front()->dimensions()),
        unused_(options.space),
        own_queue_(shapes.size()),
        queue_(options.queue != nullptr ? *options.queue : own_queue_) {
    result_.operation = devices.front()->name();
    result_.dimensions = devices.front()->dimensions();
    for (const kernels::Shape& shape : shapes)
      result_.shapes.push_back({.shape = shape, .name = kernels::to_string(result_.dimensions, shape)});
  }

  TuneResult run() {
    const std::vector<std::size_t> usable = find_alike();
    if (usable.size() == 1) {
      work(usable.front());
    } else {
      std::vector<std::thread> threads;
      for (const std::size_t device : usable) threads.emplace_back([this, device] { work(device); });
      for (std::thread& thread : threads) thread.join();
    }
    if (error_) std::rethrow_exception(error_);
    result_.unused_space = unused_.names();
    return std::move(result_);
  }

 private:
  void leave_out(std::size_t device, const std::string& why) {
    const std::lock_guard lock(mutex_);
    result_.left_out[device] = why;
    observer_.device_left_out(device, why);
  }

  // A table is for one kind of device. The first device that answers determines it.
  std::vector<std::size_t> find_alike() {
    std::vector<std::size_t> usable;
    for (std::size_t device = 0; device < devices_.size(); ++device) {
      try {
        const Fingerprint fingerprint = devices_[device]->fingerprint();
        if (usable.empty()) result_.fingerprint = fingerprint;
        if (fingerprint == result_.fingerprint)
          usable.push_back(device);
        else
          leave_out(device,
                    fingerprint.device + " differs from the first device, " + result_.fingerprint.device);
      } catch (const DeviceError& e) {
        leave_out(device, e.what());
      }
    }
    if (usable.empty())
      throw DeviceError(result_.left_out.empty() ? "there is no device" : result_.left_out.begin()->second);
    return usable;
  }

  /// Returns the next shape. Waits as long as another worker may still give a shape back.
  std::optional<std::size_t> next() {
    while (!is_over()) {
      const Offer offer = queue_.take();
      for (const FinishedShape& finished : offer.finished) adopt(finished);
      if (offer.shape || offer.all_finished) return offer.shape;
      queue_.wait();
    }
    return std::nullopt;
  }

  void work(std::size_t device) {
    try {
      while (const auto index = next()) work_on(device, *index);
    } catch (const DeviceError& e) {
      leave_out(device, e.what());
    } catch (...) {
      const std::lock_guard lock(mutex_);
      error_ = std::current_exception();
    }
  }

  void work_on(std::size_t device, std::size_t index) {
    {
      const std::lock_guard lock(mutex_);
      observer_.shape_begins(index);
    }
    try {
      if (measure(*devices_[device], index)) return;
    } catch (...) {
      queue_.give_back(index);
      throw;
    }
    queue_.give_back(index);
  }

  bool is_over() {
    const std::lock_guard lock(mutex_);
    return error_ || observer_.stop() || clock_() - begin_ >= options_.seconds_max;
  }

  /// Returns whether the shape is finished.
  bool measure(Target& target, std::size_t index) {
    TunedShape tuned = result_.shapes[index];  // only this device changes it until it is given back
    LoggedBench bench(log_, result_.operation, tuned.name, [&] { return open(target, tuned); });
    try {
      tuned.relisted = bench.relist([&] { return present_candidates(target, tuned.shape); });
      RaceOptions options = options_.race;
      options.seed = seed_of(options.seed, tuned.name);
      tuned.race = race(bench, options, [&](const RaceProgress& progress) {
        {
          const std::lock_guard lock(mutex_);
          observer_.progress(index, progress);
        }
        return !is_over();
      });
      tuned.done = !tuned.race.stopped;
      tuned.bytes = bench.bytes();
      tuned.operations = bench.operations();
    } catch (const OpenError& e) {
      tuned.failure = e.status();
      tuned.detail = e.what();
      tuned.done = true;
    }
    tuned.measured = bench.measured();
    remember_memory(tuned);
    // Another process may have finished first; its trials come with the next offer.
    if (tuned.done && !queue_.finish(index, log_.rows(result_.operation, tuned.name))) return true;
    const std::lock_guard lock(mutex_);
    result_.shapes[index] = tuned;
    if (tuned.done) observer_.shape_ends(index, tuned);
    return tuned.done;
  }

  // The candidates that `open` would offer. No problem is built if the target knows them without one.
  std::vector<Candidate> present_candidates(Target& target, const kernels::Shape& shape) {
    try {
      return admitted(target.candidates(shape), space_of(shape));
    } catch (const OpenError&) {
      return {};  // the race finds out why
    } catch (const DeviceError&) {
      return {};  // the log may have the whole race
    }
  }

  SearchSpace space_of(const kernels::Shape& shape) const {
    const auto only = options_.only.find(shape);
    return only == options_.only.end() ? options_.space : SearchSpace{.variants = only->second};
  }

  void adopt(const FinishedShape& finished) {
    const TunedShape& wanted = result_.shapes[finished.shape];
    log_.replace(result_.operation, wanted.name, finished.rows);
    TunedShape tuned = retell(log_, result_.operation, wanted.name, options_.race);
    if (!tuned.done)
      throw Error(ErrorCode::mismatch, "the trials of another process are not a complete race", wanted.name,
                  "all workers must have the same version");
    tuned.shape = wanted.shape;
    remember_memory(tuned);
    const std::lock_guard lock(mutex_);
    result_.shapes[finished.shape] = tuned;
    observer_.shape_ends(finished.shape, tuned);
  }

  void remember_memory(const TunedShape& tuned) {
    if (tuned.failure == TrialStatus::out_of_memory) memory_.ran_out("", tuned.shape);
    for (const Contestant& contestant : tuned.race.contestants)
      if (contestant.status == TrialStatus::out_of_memory)
        memory_.ran_out(contestant.candidate.name, tuned.shape);
  }

  std::unique_ptr<Bench> open(Target& target, const TunedShape& tuned) {
    if (const auto smaller = memory_.dominated_by("", tuned.shape))
      throw OpenError(TrialStatus::out_of_memory, "not tried, because it ran out of memory at " +
                                                      kernels::to_string(result_.dimensions, *smaller));
    std::unique_ptr<Bench> bench = target.open(tuned.shape);
    unused_.see(bench->candidates());
    return std::make_unique<PrunedBench>(std::move(bench), tuned.shape, space_of(tuned.shape), memory_);
  }

  const std::vector<Target*>& devices_;
  TrialLog& log_;
  const TuneOptions& options_;
  TuneObserver silent_;
  TuneObserver& observer_;
  ClockFunction clock_;
  double begin_;
  MemoryDominance memory_;
  UnusedSpace unused_;
  LocalQueue own_queue_;
  WorkQueue& queue_;
  std::mutex mutex_;  // guards all members below and the observer
  TuneResult result_;
  std::exception_ptr error_;
};

// The table's operation with the dimensions and labels of the target, whose order may be another one.
std::optional<table::OperationTable> known_of(const table::Table& table, const Target& target) {
  const auto at = table.operations.find(target.name());
  if (at == table.operations.end()) return std::nullopt;
  std::string why;
  return table::aligned(at->second, dimensions_of(target.dimensions()), why);
}

const table::Entry* measured_entry(const table::OperationTable& known, const kernels::Shape& shape) {
  const auto entry = known.entries.find(key_of(shape));
  const bool is_known = entry != known.entries.end() && !entry->second.incumbent.empty() &&
                        entry->second.origin != table::Origin::imported;
  return is_known ? &entry->second : nullptr;
}

// Whether the tuner has tried the variant at the entry's key. A program that has adapted the entry has chosen
// among all variants that the table declares, and another tool may have written down nothing but the winner.
bool was_tried(const table::OperationTable& known, const table::Entry& entry, const std::string& variant) {
  if (const auto at = entry.variants.find(variant); at != entry.variants.end())
    return at->second.count > 0 || at->second.failures > 0;
  const bool has_losers = entry.variants.size() > 1;
  if (entry.origin == table::Origin::measured && has_losers) return false;
  return known.variants.contains(variant);
}

}  // namespace

std::size_t TuneResult::count_done() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(shapes.begin(), shapes.end(), [](const TunedShape& shape) { return shape.done; }));
}

std::map<TrialStatus, std::size_t> TuneResult::failures() const {
  std::map<TrialStatus, std::size_t> result;
  for (const TunedShape& shape : shapes) {
    if (shape.failure) ++result[*shape.failure];
    for (const Contestant& contestant : shape.race.contestants)
      if (contestant.status != TrialStatus::ok) ++result[contestant.status];
  }
  return result;
}

Fingerprint fingerprint_of(const std::vector<Target*>& devices) {
  std::string why = "there is no device";
  for (Target* const device : devices) {
    try {
      return device->fingerprint();
    } catch (const DeviceError& e) {
      why = e.what();
    }
  }
  throw DeviceError(why);
}

TuneResult tune(const std::vector<Target*>& devices, const std::vector<kernels::Shape>& shapes, TrialLog& log,
                const TuneOptions& options, TuneObserver* observer) {
  if (devices.empty()) throw DeviceError("there is no device");
  return Tuner(devices, shapes, log, options, observer).run();
}

TunedShape retell(TrialLog& log, const std::string& operation, const std::string& shape,
                  const RaceOptions& options) {
  TunedShape tuned{.name = shape};
  LoggedBench bench(log, operation, shape,
                    []() -> std::unique_ptr<Bench> { throw DeviceError("the log ends here"); });
  try {
    RaceOptions own = options;
    own.seed = seed_of(options.seed, shape);
    tuned.race = race(bench, own);
    tuned.bytes = bench.bytes();
    tuned.operations = bench.operations();
    tuned.done = true;
  } catch (const OpenError& e) {
    tuned.failure = e.status();
    tuned.detail = e.what();
    tuned.done = true;
  } catch (const DeviceError& e) {
    tuned.detail = e.what();
  }
  return tuned;
}

table::Table to_table(const TuneResult& result, std::int64_t time) {
  table::Table table{.tool = std::string("adaptive ") + library_version, .fingerprint = result.fingerprint};
  table::OperationTable operation{.name = result.operation, .dimensions = dimensions_of(result.dimensions)};
  for (const TunedShape& shape : result.shapes) {
    if (!shape.done || !shape.race.best) continue;
    table::Entry entry{.key = key_of(shape.shape), .origin = table::Origin::measured, .time = time};
    for (const Contestant& contestant : shape.race.contestants) {
      operation.variants[contestant.candidate.name] = contestant.candidate.parameters;
      if (contestant.status != TrialStatus::ok) {
        entry.variants[contestant.candidate.name] = {{.failures = 1, .failed_at = time}, {}};
        continue;
      }
      if (contestant.count == 0) continue;
      const double deviation_ns = contestant.deviation_us * 1e3;
      const table::Statistics statistics{.count = contestant.count,
                                         .mean_ns = contestant.mean_us * 1e3,
                                         .variance_ns2 = deviation_ns * deviation_ns,
                                         .location_ns = contestant.location_us * 1e3,
                                         .recent = contestant.recent};
      entry.variants[contestant.candidate.name] = {statistics, {}};
    }
    entry.incumbent = shape.race.contestants[*shape.race.best].candidate.name;
    operation.entries.emplace(entry.key, std::move(entry));
  }
  if (!operation.entries.empty()) table.operations.emplace(operation.name, std::move(operation));
  return table;
}

std::vector<kernels::Shape> missing_shapes(const table::Table& table, const Target& target,
                                           const std::vector<kernels::Shape>& shapes) {
  const std::optional<table::OperationTable> known = known_of(table, target);
  if (!known) return shapes;
  std::vector<kernels::Shape> missing;
  for (const kernels::Shape& shape : shapes)
    if (measured_entry(*known, shape) == nullptr) missing.push_back(shape);
  return missing;
}

std::map<kernels::Shape, std::vector<std::string>> new_candidates(const table::Table& table, Target& target,
                                                                  const std::vector<kernels::Shape>& shapes,
                                                                  const SearchSpace& space) {
  std::map<kernels::Shape, std::vector<std::string>> result;
  const std::optional<table::OperationTable> known = known_of(table, target);
  if (!known) return result;
  for (const kernels::Shape& shape : shapes) {
    const table::Entry* const entry = measured_entry(*known, shape);
    if (entry == nullptr) continue;
    std::vector<std::string> names;
    try {
      for (const Candidate& candidate : admitted(target.candidates(shape), space))
        if (!was_tried(*known, *entry, candidate.name)) names.push_back(candidate.name);
    } catch (const OpenError&) {
      continue;  // nothing can be raced at this shape
    }
    if (names.empty()) continue;
    for (const std::string& name : {entry->incumbent, table::lasting_incumbent(*entry)})
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    result.emplace(shape, std::move(names));
  }
  return result;
}

void mark_best(TrialLog& log, const TuneResult& result) {
  std::map<std::pair<std::string, std::string>, std::string> best;
  for (const TunedShape& shape : result.shapes)
    if (shape.done && shape.race.best)
      best[{result.operation, shape.name}] = shape.race.contestants[*shape.race.best].candidate.name;
  log.finish(best);
}

}  // namespace adaptive::tuning
