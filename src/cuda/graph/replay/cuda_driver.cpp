#include "cuda/graph/replay/cuda_driver.hpp"

#include <algorithm>
#include <utility>

#include "cuda/bias/estimate.hpp"

namespace adaptive::inline v1::cuda {
namespace {

// After so many readings without a result, none is expected any more.
constexpr std::uint64_t unreadable_max = 64;

}  // namespace

CudaReplayDriver::CudaReplayDriver(const Parts& parts)
    : parts_(parts),
      meter_(parts.pool != nullptr ? &GraphMeter::of(parts.driver, *parts.pool) : nullptr),
      forms_(parts.driver, parts.graphs, parts.launches, parts.has_runtime) {
  parts_.driver.ctx_get_id(parts_.context, &context_id_);
}

CudaReplayDriver::~CudaReplayDriver() {
  for (auto& [handle, executable] : executables_) destroy(executable);
  const bool lives = context_lives();
  if (last_destruction_ != nullptr && lives) builder_->wait(*last_destruction_);
  if (side_ != nullptr && lives) {
    const RelaxedCapture relaxed(parts_.driver);
    const CurrentContext current(parts_.driver, parts_.context);
    parts_.graphs.stream_destroy(side_);
  }
  // A thread that is still measuring must not outlive the program's tracked graphs, because CUDA may be
  // unloaded then. If its context is gone, a call of the thread may never return.
  if (meter_ != nullptr && context_lives()) meter_->wait();
}

// After a device reset, another context may have the same address, and handles of the old one must not be
// used.
bool CudaReplayDriver::context_lives() const noexcept {
  unsigned long long id = 0;
  return parts_.driver.ctx_get_id(parts_.context, &id) == CUDA_SUCCESS && id == context_id_;
}

bool CudaReplayDriver::by_records() noexcept {
  CuptiSession* const cupti = parts_.client != nullptr ? parts_.client->cupti_session() : nullptr;
  return cupti != nullptr && !cupti->graph_nodes.exhausted();
}

// Null: events.
GraphStamps* CudaReplayDriver::stamps() const noexcept {
  if (parts_.stamps != nullptr || meter_ == nullptr) return parts_.stamps;
  return meter_->stamps();
}

// The context is current. Null if there can be none.
CUstream CudaReplayDriver::side() noexcept {
  if (side_ == nullptr && parts_.graphs.stream_create(&side_, CU_STREAM_NON_BLOCKING) != CUDA_SUCCESS)
    side_ = nullptr;
  return side_;
}

bool CudaReplayDriver::can_time(std::size_t launch) const {
  const std::optional<Nodes>& nodes = parts_.launches[launch].nodes;
  if (!nodes || nodes->empty()) return false;
  // The kernel that notes the time belongs to one context.
  const bool records = parts_.client != nullptr && parts_.client->cupti_session() != nullptr;
  if (!records && parts_.launches[launch].context != parts_.context) return false;
  const bool has_kernel = std::any_of(nodes->begin(), nodes->end(), [&](CUgraphNode node) {
    CUgraphNodeType type{};
    return parts_.graphs.node_type(node, &type) == CUDA_SUCCESS && type == CU_GRAPH_NODE_TYPE_KERNEL;
  });
  std::size_t count = 0;
  return has_kernel && parts_.graphs.node_dependencies(nodes->front(), nullptr, &count) == CUDA_SUCCESS &&
         parts_.copies.dependents(nodes->back(), nullptr, &count) == CUDA_SUCCESS;
}

ReplayDriver::Timing CudaReplayDriver::timing() noexcept {
  if (parts_.client == nullptr || parts_.pool == nullptr || lost_ || parts_.pool->lost())
    return Timing::never;
  if (by_records()) return Timing::possible;
  if (unreadable_ >= unreadable_max) return Timing::never;
  meter_->start();
  if (!meter_->done()) return Timing::not_yet;
  return meter_->measured() ? Timing::possible : Timing::never;
}

std::uint32_t CudaReplayDriver::source() noexcept {
  return by_records() ? 1 : 0;
}

// CUPTI records every kernel of the process in any case.
Latency CudaReplayDriver::timing_cost() noexcept {
  return by_records() ? Latency{0} : meter_->cost();
}

ReplayDriver::Form CudaReplayDriver::form(std::size_t launch, std::uint32_t variant) noexcept {
  Form form;
  try {
    forms_.find(launch, variant, form);
  } catch (...) {
    form = {Form::Kind::later, 0};  // out of memory
  }
  return form;
}

ReplayDriver::Set CudaReplayDriver::set(Handle handle, std::span<const Change> changes) noexcept {
  Set set;
  try {
    const RelaxedCapture relaxed(parts_.driver);
    if (set_nodes(executables_.at(handle), changes, set)) return set;
  } catch (...) {
    // Out of memory, before anything was changed.
  }
  set.result = Setting::refused;
  return set;
}

// Returns false if a change is not one of nodes that can be set; nothing has changed then.
bool CudaReplayDriver::set_nodes(const Executable& executable, std::span<const Change> changes, Set& set) {
  std::vector<Assignment> assignments;
  std::vector<std::size_t> change_of;
  for (std::size_t c = 0; c < changes.size(); ++c) {
    const auto nodes = executable.nodes.find(changes[c].launch);
    Form form;
    const ReplayForms::Captured* const present = forms_.find(changes[c].launch, changes[c].from, form);
    const ReplayForms::Captured* const wanted = forms_.find(changes[c].launch, changes[c].to, form);
    set.refused = c;
    if (nodes == executable.nodes.end() || present == nullptr || wanted == nullptr ||
        present->chain.size() != nodes->second.size() || wanted->chain.size() != nodes->second.size())
      return false;
    for (std::size_t n = 0; n < nodes->second.size(); ++n) {
      assignments.push_back({.node = nodes->second[n],
                             .present = present->chain[n],
                             .wanted = wanted->chain[n],
                             .context = parts_.launches[changes[c].launch].context});
      change_of.push_back(c);
    }
  }
  std::size_t refused = 0;
  switch (assign(parts_.driver, parts_.graphs, executable.exec, assignments, &refused)) {
    case Assigned::all:
      set = {};
      break;
    case Assigned::none:
      set = {Setting::refused, change_of[refused]};
      break;
    case Assigned::some:
      set = {Setting::broken, change_of[refused]};
      break;
  }
  return true;
}

// Enqueues the copy behind the latest replay. Returns false if that failed.
bool CudaReplayDriver::copy_stamps(const Executable& executable) noexcept {
  const GraphStamps& stamps = *this->stamps();
  if (parts_.copies.wait_event(side_, executable.done, 0) != CUDA_SUCCESS) return false;
  for (const std::uint32_t block : executable.blocks) {
    GraphStamps::Pair* const host = stamps.host(block);
    std::fill_n(host, GraphStamps::pairs, GraphStamps::Pair{});
    if (parts_.copies.copy_to_host(host, stamps.start_of(block, 0),
                                   GraphStamps::pairs * sizeof(GraphStamps::Pair), side_) != CUDA_SUCCESS)
      return false;
  }
  return parts_.driver.event_record(executable.copied, side_) == CUDA_SUCCESS;
}

bool CudaReplayDriver::launch(Handle handle, Flight flight, Stream stream) noexcept {
  Executable& executable = executables_.at(handle);
  // The stream is not being captured, but another thread's capture must not be disturbed.
  const RelaxedCapture relaxed(parts_.driver);
  if (flight == 0) return parts_.copies.launch(executable.exec, stream) == CUDA_SUCCESS;
  CUresult status = CUDA_ERROR_UNKNOWN;
  try {
    flights_[flight] = {handle, executable.cupti != nullptr};
    if (executable.cupti != nullptr) {
      std::vector<std::size_t> launches;
      for (const Timed& timed : executable.timed) launches.push_back(timed.launch);
      records_.begin(flight, handle, launches);
      const CuptiGraphNodes::Replay replay(records_, flight);
      status = parts_.copies.launch(executable.exec, stream);
    } else {
      status = parts_.copies.launch(executable.exec, stream);
    }
  } catch (...) {
    // Out of memory, before the launch.
  }
  if (status != CUDA_SUCCESS) {
    release(flight);
    return false;
  }
  // Without this record nobody knows when the replay has ended: its executable then stays as it is.
  const CUresult recorded = parts_.driver.event_record(executable.done, stream);
  if (recorded != CUDA_SUCCESS) lost_ = true;
  executable.launched = true;
  if (!executable.blocks.empty() && !lost_ && !copy_stamps(executable)) lost_ = true;
  return true;
}

bool CudaReplayDriver::finished(Flight flight) noexcept {
  if (lost_) return false;
  const auto flown = flights_.find(flight);
  if (flown == flights_.end()) return false;
  const auto executable = executables_.find(flown->second.executable);
  if (executable == executables_.end()) return false;
  const RelaxedCapture relaxed(parts_.driver);
  const bool copies = executable->second.copied != nullptr;
  const CUresult status =
      parts_.driver.event_query(copies ? executable->second.copied : executable->second.done);
  if (status != CUDA_SUCCESS && status != CUDA_ERROR_NOT_READY) lost_ = true;
  return status == CUDA_SUCCESS;
}

ReplayDriver::Reading CudaReplayDriver::latency(Flight flight, std::size_t launch) noexcept {
  const auto flown = flights_.find(flight);
  if (flown == flights_.end()) return {};
  if (flown->second.by_records) return records_.latency(flight, launch);
  const auto executable = executables_.find(flown->second.executable);
  if (executable == executables_.end()) return {};
  for (const Timed& timed : executable->second.timed) {
    if (timed.launch != launch) continue;
    if (timed.stamps != nullptr) {
      if (timed.stamps->end_ns <= timed.stamps->start_ns) return {};
      return {
          Reading::State::here,
          without_bias(static_cast<double>(timed.stamps->end_ns - timed.stamps->start_ns), meter_->bias())};
    }
    float ms = 0;
    if (parts_.driver.event_elapsed_ms(&ms, timed.start, timed.end) != CUDA_SUCCESS) {
      note_unreadable();
      return {};
    }
    readable_ = true;
    unreadable_ = 0;
    return {Reading::State::here, without_bias(double{ms} * 1e6, meter_->bias())};
  }
  return {};
}

// A driver that does not time the events of graphs must not cost anything for long.
void CudaReplayDriver::note_unreadable() noexcept {
  if (readable_ || ++unreadable_ != unreadable_max || parts_.client == nullptr) return;
  parts_.client->tell(LogLevel::warning,
                      "CUDA does not tell the times of the events of a graph: its replays are not timed");
}

void CudaReplayDriver::release(Flight flight) noexcept {
  records_.release(flight);
  flights_.erase(flight);
}

void CudaReplayDriver::give(Operation& operation, const Decision& decision, Latency latency) noexcept {
  if (parts_.client != nullptr) parts_.client->give_replayed(operation, decision, latency);
}

}  // namespace adaptive::cuda
