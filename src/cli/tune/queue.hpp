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

/// What the workers of a queue do.
struct QueueWork {
  std::vector<std::string> shapes = {};
  /// Of shapes that are raced again, the candidates (`TuneOptions::only`).
  std::map<kernels::Shape, std::vector<std::string>> only = {};
};

/// The work that the first worker of the queue named by --queue has put down. It lacks the shapes that this
/// worker's table had then: tables that workers share may have changed since. Nothing if nobody has begun the
/// queue, or if it was begun with other shapes in mind than `wanted`. Throws `Error` if the queue cannot be
/// reached.
std::optional<QueueWork> begun_work(const TuneArguments& arguments, const std::vector<std::string>& wanted);

/// Joins that queue, with the shapes and options of `run`. Throws `Error` if another worker has begun it with
/// other work.
std::unique_ptr<tuning::WorkQueue> join_queue(const TuneArguments& arguments, const RunMetadata& run,
                                              const std::vector<std::string>& wanted,
                                              const std::map<kernels::Shape, std::vector<std::string>>& only);

}  // namespace adaptive::cli
