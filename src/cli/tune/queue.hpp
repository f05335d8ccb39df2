// tune --queue: many machines share one run.
#pragma once

#include <memory>

#include "cli/tune/arguments.hpp"
#include "cli/tune/run_folder.hpp"
#include "tuning/queue/work_queue.hpp"

namespace adaptive::inline v1::cli {

/// "NAME-HOST-PROCESS": of a worker's own folder, since workers may share a disk.
std::string worker_run_name(const std::string& queue_address);

/// The queue that --queue names, for the shapes and options of `run`: all workers must have the same.
std::unique_ptr<tuning::WorkQueue> join_queue(const TuneArguments& arguments, const RunMetadata& run);

}  // namespace adaptive::cli
