#include "cli/tune/queue.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include <adaptive/version.hpp>

#include "base/device/host_name.hpp"
#include "tuning/queue/board.hpp"
#include "tuning/queue/shared_queue.hpp"

namespace adaptive::inline v1::cli {

std::string worker_run_name(const std::string& queue_address) {
  return fmt::format("{}-{}-{}", tuning::parse_board_address(queue_address).name, core::host_name(),
                     ::getpid());
}

std::unique_ptr<tuning::WorkQueue> join_queue(
    const TuneArguments& arguments, const RunMetadata& run,
    const std::map<kernels::Shape, std::vector<std::string>>& only) {
  const tuning::SharedQueue::Plan plan = {
      {"version of the tool", library_version},
      {"device, driver or libraries", to_json(run.fingerprint).dump()},
      {"options", to_json(run.plan).dump()},
      {"shapes", nlohmann::json(run.shapes).dump()},
      {"variants that its table lacks", nlohmann::json(only).dump()},
  };
  return std::make_unique<tuning::SharedQueue>(
      tuning::open_board(arguments.queue), plan, run.shapes.size(),
      tuning::SharedQueueOptions{.lease_seconds = arguments.lease_seconds});
}

}  // namespace adaptive::cli
