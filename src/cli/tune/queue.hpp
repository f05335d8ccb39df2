// tune --queue: many machines share one run.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cli/tune/arguments.hpp"
#include "cli/tune/run_folder.hpp"
#include "tuning/queue/work_queue.hpp"

namespace adaptive::inline v1::cli {

/// The name of a worker's own folder, "NAME-HOST-PROCESS". Workers need different folders, because they may
/// share a disk.
std::string worker_run_name(const std::string& queue_address);

/// Joins the queue named by --queue, with the shapes and options of `run` and with the candidates of shapes
/// that are raced again (`TuneOptions::only`), which must be the same for all workers.
std::unique_ptr<tuning::WorkQueue> join_queue(const TuneArguments& arguments, const RunMetadata& run,
                                              const std::map<kernels::Shape, std::vector<std::string>>& only);

}  // namespace adaptive::cli
