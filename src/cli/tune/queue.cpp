#include "cli/tune/queue.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include <adaptive/version.hpp>

#include "base/device/host_name.hpp"
#include "tuning/queue/board.hpp"
#include "tuning/queue/shared_queue.hpp"

namespace adaptive::inline v1::cli {
namespace {

// Names of texts of the plan, as messages have them.
constexpr const char* shapes_name = "shapes";
constexpr const char* only_name = "variants that its table lacks";
constexpr const char* wanted_name = "shapes, known ones included";

}  // namespace

std::string worker_run_name(const std::string& queue_address) {
  return fmt::format("{}-{}-{}", tuning::parse_board_address(queue_address).name, core::host_name(),
                     ::getpid());
}

std::optional<QueueWork> begun_work(const TuneArguments& arguments, const std::vector<std::string>& wanted) {
  const tuning::Board::Texts plan =
      tuning::open_board(arguments.queue)->read(tuning::SharedQueue::plan_group);
  const auto text = [&](const char* name) {
    const auto at = plan.find(name);
    return at == plan.end() ? std::string() : at->second;
  };
  if (text(wanted_name) != nlohmann::json(wanted).dump()) return std::nullopt;
  try {
    return QueueWork{nlohmann::json::parse(text(shapes_name)), nlohmann::json::parse(text(only_name))};
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;  // its first worker has not put everything down yet
  }
}

std::unique_ptr<tuning::WorkQueue> join_queue(
    const TuneArguments& arguments, const RunMetadata& run, const std::vector<std::string>& wanted,
    const std::map<kernels::Shape, std::vector<std::string>>& only) {
  const tuning::SharedQueue::Plan plan = {
      {"version of the tool", library_version},
      {"device, driver or libraries", to_json(run.fingerprint).dump()},
      {"options", to_json(run.plan).dump()},
      {only_name, nlohmann::json(only).dump()},
      {shapes_name, nlohmann::json(run.shapes).dump()},
      {wanted_name, nlohmann::json(wanted).dump()},
  };
  return std::make_unique<tuning::SharedQueue>(
      tuning::open_board(arguments.queue), plan, run.shapes.size(),
      tuning::SharedQueueOptions{.lease_seconds = arguments.lease_seconds});
}

}  // namespace adaptive::cli
