#include <adaptive/cuda/tracked_graph.hpp>

#include <algorithm>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "cuda/driver.hpp"
#include "cuda/graph/driver.hpp"
#include "cuda/graph/node_chain.hpp"
#include "cuda/graph/scratch_capture.hpp"
#include "cuda/graph/tracked_state.hpp"

namespace adaptive::inline v1::cuda {
cudaError_t TrackedGraph::launch_on(Operation& operation, const Key& key, cudaStream_t stream, Body body) {
  const Pin pin = operation.pin(key);
  const Driver* driver = Driver::find();
  const GraphDriver* graphs = GraphDriver::find();
  if (driver == nullptr || graphs == nullptr) return body(pin.variant(), stream);
  const CapturePoint before = CapturePoint::of(*graphs, stream);
  if (!before.active) return body(pin.variant(), stream);

  // If an error is pending, or the capture is broken already, a failure of the body is not the variant's
  // fault.
  const bool sound = before.known && cudaPeekAtLastError() == cudaSuccess;
  const cudaError_t status = body(pin.variant(), stream);
  if (status != cudaSuccess && sound) operation.fail(pin.decision());
  TrackedLaunch launch{.operation = &operation,
                       .key = key,
                       .body = std::move(body),
                       .context = nullptr,
                       .variant = pin.variant(),
                       .captured = pin.variant(),
                       .graph = before.known ? before.graph : nullptr};
  if (status == cudaSuccess && driver->stream_get_ctx(stream, &launch.context) == CUDA_SUCCESS)
    launch.nodes = chain_between(*graphs, before, CapturePoint::of(*graphs, stream));
  if (launch.nodes) launch.present = *launch.nodes;
  state_->end_learning();
  state_->launches.push_back(std::move(launch));
  state_->pins.push_back(pin);
  return status;
}

bool TrackedGraph::stale() const noexcept {
  return state_->mixed ||
         std::any_of(state_->pins.begin(), state_->pins.end(), [](const Pin& pin) { return pin.stale(); });
}

void TrackedGraph::clear() noexcept {
  state_->end_learning();
  state_->pins.clear();
  state_->launches.clear();
  state_->mixed = false;
}

std::size_t TrackedGraph::size() const noexcept {
  return state_->launches.size();
}

GraphUpdate TrackedGraph::update(cudaGraphExec_t exec) {
  if (state_->mixed) return GraphUpdate::failed;
  if (!stale()) return GraphUpdate::none;
  const Driver* driver = Driver::find();
  const GraphDriver* graphs = GraphDriver::find();
  if (driver == nullptr || graphs == nullptr || exec == nullptr) return GraphUpdate::recapture;

  {
    const RuntimeErrorGuard guard;  // removes errors that a body leaves behind
    if (guard.clean()) return state_->update(*driver, *graphs, exec);
  }
  GraphUpdate result = GraphUpdate::recapture;
  std::exception_ptr thrown;
  try {
    std::thread([&] {
      try {
        result = state_->update(*driver, *graphs, exec);
      } catch (...) {
        thrown = std::current_exception();
      }
    }).join();
  } catch (const std::system_error&) {  // no thread could be started
  }
  if (thrown) std::rethrow_exception(thrown);
  return result;
}

GraphUpdate TrackedGraph::State::update(const Driver& driver, const GraphDriver& graphs,
                                        cudaGraphExec_t exec) {
  std::vector<TrackedChange> changes;
  for (std::size_t i = 0; i < launches.size(); ++i) {
    if (!pins[i].stale()) continue;
    const Pin pin = launches[i].operation->pin(launches[i].key);
    if (pin.variant() != launches[i].variant) {
      if (!launches[i].nodes) return GraphUpdate::recapture;
      changes.push_back({.index = i, .pin = pin});
    } else {
      pins[i] = pin;  // the incumbent changed and changed back
    }
  }
  if (changes.empty()) return GraphUpdate::none;

  // Creating a stream, and the calls of a body, must not break a capture that this thread or another one has
  // begun.
  const RelaxedCapture relaxed(driver);
  GraphUpdate result = capture(driver, graphs, changes);
  if (result == GraphUpdate::updated) result = apply(driver, graphs, exec, changes);
  mixed = result == GraphUpdate::failed;
  if (result != GraphUpdate::updated) return result;
  for (TrackedChange& change : changes) {
    TrackedLaunch& launch = launches[change.index];
    pins[change.index] = change.pin;
    launch.variant = change.pin.variant();
    launch.present = std::move(change.nodes);
    launch.scratch = std::move(change.scratch);
  }
  running.clear();
  refused.clear();
  return result;
}

// Captures all changed launches before the first node is changed, so that a launch that does not fit is found
// in time.
GraphUpdate TrackedGraph::State::capture(const Driver& driver, const GraphDriver& graphs,
                                         std::vector<TrackedChange>& changes) const {
  std::vector<ScratchCapture> captures;  // one for each context
  for (TrackedChange& change : changes) {
    const TrackedLaunch& launch = launches[change.index];
    const CurrentContext current(driver, launch.context);
    if (!current) return GraphUpdate::recapture;
    auto capture = std::find_if(captures.begin(), captures.end(),
                                [&](const ScratchCapture& c) { return c.context() == launch.context; });
    if (capture == captures.end()) {
      captures.emplace_back(graphs, launch.context);
      capture = std::prev(captures.end());
    }
    if (!capture->open()) return GraphUpdate::recapture;

    const CUstream stream = capture->stream();
    const CapturePoint before = CapturePoint::of(graphs, stream);
    if (!before.known) return GraphUpdate::recapture;  // the previous body has broken the capture
    const cudaError_t status = launch.body(change.pin.variant(), stream);
    if (status != cudaSuccess) {
      launch.operation->fail(change.pin.decision());
      return GraphUpdate::recapture;
    }
    std::optional<Nodes> nodes = chain_between(graphs, before, CapturePoint::of(graphs, stream));
    if (!nodes || !interchangeable(graphs, *launch.nodes, *nodes)) return GraphUpdate::recapture;
    change.nodes = std::move(*nodes);
  }
  for (ScratchCapture& capture : captures) {
    const auto graph = std::make_shared<const ScratchGraph>(capture.end());
    if (!*graph) return GraphUpdate::recapture;
    for (TrackedChange& change : changes)
      if (launches[change.index].context == capture.context()) change.scratch = graph;
  }
  return GraphUpdate::updated;
}

GraphUpdate TrackedGraph::State::apply(const Driver& driver, const GraphDriver& graphs, cudaGraphExec_t exec,
                                       const std::vector<TrackedChange>& changes) const {
  std::vector<Assignment> assignments;
  for (const TrackedChange& change : changes) {
    const TrackedLaunch& launch = launches[change.index];
    for (std::size_t n = 0; n < change.nodes.size(); ++n)
      assignments.push_back({.node = (*launch.nodes)[n],
                             .present = launch.present[n],
                             .wanted = change.nodes[n],
                             .context = launch.context});
  }
  switch (assign(driver, graphs, exec, assignments)) {
    case Assigned::all:
      return GraphUpdate::updated;
    case Assigned::none:
      return GraphUpdate::recapture;
    case Assigned::some:
      break;
  }
  return GraphUpdate::failed;
}

}  // namespace adaptive::cuda
