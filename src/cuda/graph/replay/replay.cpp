// The replays of a tracked graph.
#include <adaptive/cuda/tracked_graph.hpp>

#include <algorithm>
#include <utility>
#include <vector>

#include "cuda/event_pool.hpp"
#include "cuda/graph/replay/client.hpp"
#include "cuda/graph/replay/cuda_driver.hpp"
#include "cuda/graph/replay/learner.hpp"
#include "cuda/graph/tracked_state.hpp"
#include "cuda/timer_state.hpp"

namespace adaptive::inline v1::cuda {
namespace {

// Counters of the past are added to those of the present learner.
void add(ReplayCounters& sum, const ReplayCounters& more) {
  sum.replays += more.replays;
  sum.looking += more.looking;
  sum.asked += more.asked;
  sum.looks += more.looks;
  sum.explored += more.explored;
  sum.recorded += more.recorded;
  sum.besides += more.besides;
  sum.dropped += more.dropped;
  sum.lost += more.lost;
  sum.waiting += more.waiting;
  sum.pending += more.pending;
  sum.stale += more.stale;
  sum.refused += more.refused;
  sum.built += more.built;
  sum.removed += more.removed;
  sum.stand_ins += more.stand_ins;
  sum.timing_ns += more.timing_ns;
}

bool is_capturing(const Driver& driver, cudaStream_t stream) {
  CUstreamCaptureStatus status = CU_STREAM_CAPTURE_STATUS_NONE;
  return driver.stream_is_capturing(stream, &status) != CUDA_SUCCESS ||
         status != CU_STREAM_CAPTURE_STATUS_NONE;
}

}  // namespace

TrackedGraph::State::State() = default;
TrackedGraph::State::~State() {
  end_learning();
}

TrackedGraph::TrackedGraph() : state_(std::make_unique<State>()) {}

TrackedGraph::TrackedGraph(Timer& timer, const ReplayOptions& options) : TrackedGraph() {
  state_->timer = &timer;
  state_->options = options;
}

TrackedGraph::~TrackedGraph() = default;

ReplayCounters TrackedGraph::replay_counters() const noexcept {
  ReplayCounters all = state_->plain;
  if (state_->learner != nullptr) add(all, state_->learner->counters());
  if (state_->replays != nullptr) all.stale += state_->replays->stale();
  return all;
}

void TrackedGraph::poll() noexcept {
  if (state_->learner == nullptr) return;
  try {
    state_->learner->collect();
  } catch (...) {
    // Out of memory: a later call takes them.
  }
}

cudaError_t TrackedGraph::replay_on(cudaGraphExec_t exec, cudaStream_t stream) {
  State& state = *state_;
  const Driver* const driver = Driver::find();
  const GraphDriver* const graphs = GraphDriver::find();
  if (driver == nullptr || graphs == nullptr || exec == nullptr || state.launches.empty() ||
      is_capturing(*driver, stream))
    return state.mixed ? cudaErrorGraphExecUpdateFailure : cudaGraphLaunch(exec, stream);

  if (state.executable != exec) {
    state.end_learning();
    state.executable = exec;
  }
  const bool learns = state.can_learn(*driver, exec, stream);
  if (learns && !std::exchange(state.begun, true)) state.begin_learning(*driver, *graphs, exec);
  state.follow(*this, exec);
  if (state.learner != nullptr && learns) {
    bool launched = false;
    try {
      launched = state.learner->replay(state.running, stream);
      if (!launched && state.stands_in) launched = state.learner->launch_stand_in(stream);
    } catch (...) {
      // Out of memory, before anything was launched.
    }
    if (state.learner->impossible() && !std::exchange(state.said_impossible, true) &&
        state.client() != nullptr)
      state.client()->tell(LogLevel::info,
                           "a graph cannot be copied, as graphs with allocations or conditions cannot: its "
                           "replays are not timed");
    if (launched) return cudaSuccess;
  }
  // The program's executable runs what it could be updated to, which is not the incumbents if the stand-in
  // was not launched.
  if (state.mixed) return cudaErrorGraphExecUpdateFailure;
  const cudaError_t status = cudaGraphLaunch(exec, stream);
  if (status == cudaSuccess) ++state.plain.replays;
  return status;
}

ReplayClient* TrackedGraph::State::client() const noexcept {
  return timer != nullptr ? timer->state_.get() : nullptr;
}

// Whether executables of this graph can be made, and launched on the stream.
bool TrackedGraph::State::can_learn(const Driver& driver, cudaGraphExec_t exec, cudaStream_t stream) const {
  if (exec == nullptr || options.executables_max == 0) return false;
  CUcontext context = nullptr;
  return driver.stream_get_ctx(stream, &context) == CUDA_SUCCESS && context == launches.front().context;
}

void TrackedGraph::State::begin_learning(const Driver& driver, const GraphDriver& graphs,
                                         cudaGraphExec_t exec) {
  running.clear();
  const CopyDriver* const copies = CopyDriver::find();
  CUgraph graph = launches.front().graph;
  const bool one_graph = graph != nullptr &&
                         std::all_of(launches.begin(), launches.end(),
                                     [&](const auto& l) { return l.graph == graph && l.context != nullptr; });
  constexpr std::uint64_t kept = CUDA_GRAPH_INSTANTIATE_FLAG_USE_NODE_PRIORITY;
  constexpr std::uint64_t without_effect = CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD;
  cuuint64_t flags = 0;
  if (copies == nullptr || !one_graph || copies->flags(exec, &flags) != CUDA_SUCCESS ||
      (flags & ~(kept | without_effect)) != 0)
    return;
  replays = std::make_unique<CudaReplayDriver>(
      CudaReplayDriver::Parts{.driver = driver,
                              .graphs = graphs,
                              .copies = *copies,
                              .launches = launches,
                              .graph = graph,
                              .context = launches.front().context,
                              .flags = flags & kept,
                              .pool = EventPool::of(driver, launches.front().context),
                              .client = client(),
                              .free_memory_min = options.free_memory_min});
  learner = std::make_unique<ReplayLearner>(*replays, options);
  for (std::size_t i = 0; i < launches.size(); ++i)
    learner->add(*launches[i].operation, launches[i].key, replays->can_time(i));
}

void TrackedGraph::State::end_learning() noexcept {
  if (learner != nullptr) {
    learner->clear();
    add(plain, learner->counters());
    plain.stale += replays->stale();
  }
  learner.reset();
  replays.reset();
  executable = nullptr;
  running.clear();
  refused.clear();
  stands_in = false;
  begun = false;
  said_impossible = false;
}

// Updates the program's executable to the incumbents, or has the stand-in run them. `running` becomes what
// the replays that do not look run.
void TrackedGraph::State::follow(TrackedGraph& self, cudaGraphExec_t exec) {
  if (!running.empty() && !self.stale()) return;
  std::vector<std::uint32_t> wanted;
  for (std::size_t i = 0; i < launches.size(); ++i)
    wanted.push_back(pins[i].stale() ? launches[i].operation->pin(launches[i].key).variant()
                                     : launches[i].variant);
  // An update that CUDA has refused is not tried again: it would capture the same bodies.
  if (!mixed && self.stale() && wanted != refused) {
    if (self.update(exec) >= GraphUpdate::recapture) {
      refused = wanted;
      // A body that failed while it was captured has set its variant aside.
      for (std::size_t i = 0; i < launches.size(); ++i)
        if (pins[i].stale()) wanted[i] = launches[i].operation->pin(launches[i].key).variant();
    }
  }
  stands_in = false;
  if (self.stale() && learner != nullptr) {
    try {
      stands_in = learner->prepare_stand_in(wanted);
    } catch (...) {
      // Out of memory: the program's executable is replayed.
    }
  }
  if (learner != nullptr && !stands_in) learner->drop_stand_in();
  if (stands_in) {
    running = std::move(wanted);
    return;
  }
  running.clear();
  for (const TrackedLaunch& launch : launches) running.push_back(launch.variant);
}

}  // namespace adaptive::cuda
