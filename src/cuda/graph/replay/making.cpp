// The executables of learning under replay: how they are made and destroyed.
#include <algorithm>
#include <utility>

#include "cuda/graph/replay/cuda_driver.hpp"

namespace adaptive::inline v1::cuda {

ReplayDriver::Made CudaReplayDriver::make(std::span<const std::uint32_t> variants,
                                          std::span<const std::size_t> timed) noexcept {
  return make(variants, timed, true);
}

ReplayDriver::Made CudaReplayDriver::begin(std::span<const std::uint32_t> variants,
                                           std::span<const std::size_t> timed) noexcept {
  return make(variants, timed, !parts_.has_builder);
}

ReplayDriver::Made CudaReplayDriver::make(std::span<const std::uint32_t> variants,
                                          std::span<const std::size_t> timed, bool now) noexcept {
  if (!context_lives()) return {Making::impossible, 0};
  Executable executable;
  Made made;
  Handle kept = 0;
  try {
    const RelaxedCapture relaxed(parts_.driver);
    const CurrentContext current(parts_.driver, parts_.context);
    if (!current) return {Making::no_memory, 0};
    std::size_t free = 0;
    std::size_t total = 0;
    if (parts_.copies.memory_info(&free, &total) != CUDA_SUCCESS || free < parts_.free_memory_min)
      return {Making::no_memory, 0};
    executable.copy = GraphCopy::of(parts_.graphs, parts_.copies, parts_.graph);
    if (!executable.copy) return {Making::impossible, 0};
    const Handle handle = last_ + 1;
    if (prepare(executable, handle, variants, timed)) {
      // The events of a graph can be read from its second replay on.
      const bool times_first = executable.cupti != nullptr || !executable.blocks.empty();
      Executable& it = executables_.emplace(handle, std::move(executable)).first->second;
      last_ = kept = handle;
      if (!now && leave_to_builder(it)) return {Making::begun, handle, times_first};
      if (instantiate(it) && finish(it, false)) return {Making::made, handle, times_first};
    }
  } catch (...) {
    made.result = Making::no_memory;  // of the host
  }
  if (kept != 0)
    destroy(kept);
  else
    destroy(executable);
  return made;
}

ReplayDriver::Making CudaReplayDriver::outcome(Handle handle) noexcept {
  Executable& executable = executables_.at(handle);
  if (executable.task == nullptr) return executable.exec != nullptr ? Making::made : Making::refused;
  if (!executable.task->done.load(std::memory_order_acquire)) return Making::begun;
  const bool uploaded = executable.task->upload != nullptr;
  executable.exec = executable.task->exec;
  executable.task.reset();
  try {
    const RelaxedCapture relaxed(parts_.driver);
    const CurrentContext current(parts_.driver, parts_.context);
    if (current && executable.exec != nullptr && finish(executable, uploaded)) return Making::made;
  } catch (...) {
    return Making::no_memory;  // of the host
  }
  return Making::refused;
}

// Makes everything but the executable itself. The caller destroys it if this fails.
bool CudaReplayDriver::prepare(Executable& executable, Handle handle, std::span<const std::uint32_t> variants,
                               std::span<const std::size_t> timed) {
  if (by_records()) executable.cupti = parts_.client->cupti_session();
  for (std::size_t i = 0; i < parts_.launches.size(); ++i) {
    const TrackedLaunch& launch = parts_.launches[i];
    if (!launch.nodes || launch.nodes->empty()) continue;
    Form form;
    const ReplayForms::Captured* const wanted = forms_.find(i, variants[i], form);
    std::optional<Nodes> nodes = executable.copy->find(*launch.nodes);
    if (wanted == nullptr || form.kind != Form::Kind::known || !nodes) return false;
    const CurrentContext current(parts_.driver, launch.context);
    if (!current) return false;
    if (form.number == 0) {
      // The same kinds of nodes: they are set once the graph is instantiated.
      if (variants[i] != launch.captured) executable.changes.push_back({i, launch.captured, variants[i]});
      executable.nodes[i] = *nodes;
    } else if (!wanted->chain.empty()) {
      nodes = executable.copy->replace(*nodes, wanted->chain, launch.context);
      if (!nodes) return false;
      executable.nodes[i] = *nodes;
    } else {
      nodes = executable.copy->replace(*nodes, wanted->graph);
      if (!nodes) return false;
    }
    if (std::find(timed.begin(), timed.end(), i) != timed.end() && !add_timing(executable, handle, i, *nodes))
      return false;
  }
  if (parts_.driver.event_create(&executable.done, CU_EVENT_DISABLE_TIMING) == CUDA_SUCCESS) return true;
  executable.done = nullptr;
  return false;
}

bool CudaReplayDriver::instantiate(Executable& executable) {
  if (parts_.copies.instantiate(&executable.exec, executable.copy->graph(), parts_.flags) == CUDA_SUCCESS)
    return true;
  executable.exec = nullptr;
  return false;
}

// Returns false if there is no other thread.
bool CudaReplayDriver::leave_to_builder(Executable& executable) {
  try {
    if (builder_ == nullptr) builder_ = GraphBuilder::get();
    const std::shared_ptr<GraphBuilder::Task> task(
        new GraphBuilder::Task{.driver = parts_.driver,
                               .copies = parts_.copies,
                               .context = parts_.context,
                               .graph = executable.copy->graph(),
                               .flags = parts_.flags,
                               .upload = executable.changes.empty() ? side() : nullptr});
    builder_->submit(task);
    executable.task = task;
    return true;
  } catch (...) {
    return false;
  }
}

// What is left to do once the graph is instantiated.
bool CudaReplayDriver::finish(Executable& executable, bool uploaded) {
  Set set;
  const std::vector<Change> changes = std::exchange(executable.changes, {});
  if (!changes.empty() && (!set_nodes(executable, changes, set) || set.result != Setting::done)) return false;
  // Otherwise the first replay has to wait until the executable is on the device, and what it times appears
  // slower. Where this fails, CUDA does it at the launch.
  if (!uploaded && side() != nullptr) parts_.copies.upload(executable.exec, side());
  return true;
}

bool CudaReplayDriver::add_timing(Executable& executable, Handle handle, std::size_t launch,
                                  const Nodes& nodes) {
  Timed& timed = executable.timed.emplace_back(Timed{.launch = launch});
  if (executable.cupti != nullptr) {
    CuptiSession& cupti = *executable.cupti;
    std::vector<std::uint64_t> ids;
    for (CUgraphNode node : nodes) {
      CUgraphNodeType type{};
      if (parts_.graphs.node_type(node, &type) != CUDA_SUCCESS) return false;
      if (type != CU_GRAPH_NODE_TYPE_KERNEL) continue;
      const std::uint64_t id = cupti.graph_node_id(node);
      if (id == 0) return false;
      ids.push_back(id);
    }
    if (ids.empty()) return false;  // copies, or a whole graph, whose kernels are not known here
    timed.nodes = cupti.graph_nodes.add(ids, records_, ReplayRecords::tag(handle, launch));
    return true;
  }
  if (GraphStamps* const stamps = this->stamps(); stamps != nullptr) {
    executable.timed.pop_back();
    return add_stamps(executable, launch, nodes, *stamps);
  }
  if (parts_.driver.event_create(&timed.start, CU_EVENT_DEFAULT) != CUDA_SUCCESS) {
    timed.start = nullptr;
    return false;
  }
  if (parts_.driver.event_create(&timed.end, CU_EVENT_DEFAULT) != CUDA_SUCCESS) {
    timed.end = nullptr;
    return false;
  }
  return executable.copy->time(nodes, timed.start, timed.end);
}

bool CudaReplayDriver::add_stamps(Executable& executable, std::size_t launch, const Nodes& nodes,
                                  GraphStamps& stamps) {
  const std::size_t pair = executable.timed.size() % GraphStamps::pairs;
  if (pair == 0) {
    if (side() == nullptr) return false;
    if (executable.copied == nullptr &&
        parts_.driver.event_create(&executable.copied, CU_EVENT_DISABLE_TIMING) != CUDA_SUCCESS) {
      executable.copied = nullptr;
      return false;
    }
    executable.blocks.reserve(executable.blocks.size() + 1);
    const std::uint32_t block = stamps.acquire(parts_.driver);
    if (block == GraphStamps::none) return false;
    executable.blocks.push_back(block);
  }
  const std::uint32_t block = executable.blocks.back();
  executable.timed.push_back({.launch = launch, .stamps = stamps.host(block) + pair});
  return executable.copy->stamp(nodes, stamps.kernel(), stamps.start_of(block, pair),
                                stamps.end_of(block, pair), parts_.context);
}

// The blocks of an executable that may be in flight are free after its latest copy.
void CudaReplayDriver::release_stamps(Executable& executable) noexcept {
  for (const std::uint32_t block : executable.blocks) {
    CUevent last = nullptr;
    if (!executable.launched || parts_.driver.event_query(executable.copied) == CUDA_SUCCESS)
      stamps()->release(block);
    else if (parts_.driver.event_create(&last, CU_EVENT_DISABLE_TIMING) == CUDA_SUCCESS &&
             parts_.driver.event_record(last, side_) == CUDA_SUCCESS)
      stamps()->release_after(parts_.driver, block, last);
  }
  executable.blocks.clear();
}

void CudaReplayDriver::destroy(Handle handle) noexcept {
  const auto at = executables_.find(handle);
  if (at == executables_.end()) return;
  if (!leave_destruction(at->second)) destroy(at->second);
  executables_.erase(at);
}

// CUDA frees what is in flight once it has ended. Returns false, and has done nothing, if there is no other
// thread or if the executable has not been made.
bool CudaReplayDriver::leave_destruction(Executable& executable) noexcept {
  if (builder_ == nullptr || executable.exec == nullptr || !executable.copy || !context_lives()) return false;
  try {
    std::vector<CUevent> events = {executable.done};
    for (const Timed& timed : executable.timed) events.insert(events.end(), {timed.start, timed.end});
    events.push_back(executable.copied);
    std::erase(events, nullptr);
    const std::shared_ptr<GraphBuilder::Task> task(
        new GraphBuilder::Task{.driver = parts_.driver,
                               .copies = parts_.copies,
                               .context = parts_.context,
                               .destroy_graph = parts_.graphs.graph_destroy,
                               .graph = executable.copy->graph(),
                               .exec = executable.exec,
                               .events = std::move(events)});
    const RelaxedCapture relaxed(parts_.driver);
    const CurrentContext current(parts_.driver, parts_.context);
    release_stamps(executable);
    builder_->submit(task);
    last_destruction_ = task;
  } catch (...) {
    return false;
  }
  executable.copy->release();
  for (const Timed& timed : executable.timed)
    if (timed.nodes != 0) executable.cupti->graph_nodes.remove(timed.nodes);
  return true;
}

// What belongs to a context that is gone is not touched.
void CudaReplayDriver::destroy(Executable& executable) noexcept {
  const bool lives = context_lives();
  if (executable.task != nullptr && lives) {
    builder_->wait(*executable.task);
    executable.exec = executable.task->exec;
  }
  executable.task.reset();
  for (Timed& timed : executable.timed)
    if (timed.nodes != 0) executable.cupti->graph_nodes.remove(timed.nodes);
  if (!lives) {
    if (executable.copy) executable.copy->release();
    return;
  }
  const RelaxedCapture relaxed(parts_.driver);
  const CurrentContext current(parts_.driver, parts_.context);
  if (executable.exec != nullptr) parts_.copies.exec_destroy(executable.exec);
  executable.copy.reset();
  release_stamps(executable);
  for (Timed& timed : executable.timed) {
    if (timed.start != nullptr) parts_.driver.event_destroy(timed.start);
    if (timed.end != nullptr) parts_.driver.event_destroy(timed.end);
  }
  if (executable.copied != nullptr) parts_.driver.event_destroy(executable.copied);
  if (executable.done != nullptr) parts_.driver.event_destroy(executable.done);
}

}  // namespace adaptive::cuda
