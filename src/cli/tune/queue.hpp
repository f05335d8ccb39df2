// tune --queue: many machines share one run.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/tune/arguments.hpp"
#include "cli/tune/run_folder.hpp"
#include "tuning/queue/work_queue.hpp"

namespace adaptive::inline v1::cli {

/// The name of a worker's own folder, "NAME-HOST-PROCESS". Workers need different folders, because they may
/// share a disk.
std::string worker_run_name(const std::string& queue_address);

/// The shapes that the workers of a queue race.
struct QueueWork {
  std::vector<std::string> shapes = {};
  /// The candidates of shapes that are raced again (`TuneOptions::only`).
  std::map<kernels::Shape, std::vector<std::string>> only = {};
};

/// The work that the first worker of the queue named by --queue has put down, which lacks the shapes that
/// that worker's table had at that time; a table that workers share may have changed since. `wanted` are the
/// shapes that the caller was asked for, known ones included. Nothing if nobody has begun the queue, or if
/// the first worker was asked for other shapes. Throws `Error` if the queue cannot be reached.
std::optional<QueueWork> begun_work(const TuneArguments& arguments, const std::vector<std::string>& wanted);

/// Joins the queue named by --queue, with the shapes and options of `run`. Throws `Error` if another worker
/// has begun it with other work.
std::unique_ptr<tuning::WorkQueue> join_queue(const TuneArguments& arguments, const RunMetadata& run,
                                              const std::vector<std::string>& wanted,
                                              const std::map<kernels::Shape, std::vector<std::string>>& only);

}  // namespace adaptive::cli
