#include "cuda/cupti/graph_nodes.hpp"

namespace adaptive::inline v1::cuda {
namespace {

// The lower half of a node's id is its number in the graph; the upper half identifies the graph.
std::uint64_t graph_of(std::uint64_t node) noexcept {
  return node >> 32;
}

// What the thread launches.
struct Replaying {
  GraphRecordSink* sink = nullptr;
  std::uint64_t replay = 0;
};
constinit thread_local Replaying replaying;

// Correlation ids rise and wrap around.
bool is_later(std::uint32_t a, std::uint32_t b) noexcept {
  return static_cast<std::int32_t>(a - b) > 0;
}

}  // namespace

CuptiGraphNodes::Replay::Replay(GraphRecordSink& sink, std::uint64_t replay) noexcept {
  replaying = {&sink, replay};
}
CuptiGraphNodes::Replay::~Replay() {
  replaying = {};
}

void CuptiGraphNodes::insert(Handle launch, std::uint64_t node) {
  // Ids of destroyed graphs are used again: a node belongs to its latest owner.
  const auto known = nodes_.find(node);
  if (known != nodes_.end() && known->second.launch == launch) return;
  if (known == nodes_.end() && nodes_.size() >= nodes_max) {
    ++counters_.dropped;
    launches_.at(launch).complete = false;
    return;
  }
  launches_.at(launch).nodes.push_back(node);
  nodes_[node] = {launch, graph_of(node)};
  ++copies_[{launch, graph_of(node)}].nodes;
}

CuptiGraphNodes::Handle CuptiGraphNodes::add(std::span<const std::uint64_t> nodes, GraphRecordSink& sink,
                                             std::uint64_t tag) {
  const std::lock_guard lock(mutex_);
  const Handle launch = ++last_;
  launches_.emplace(launch, Launch{.sink = &sink, .tag = tag, .since = last_replay_});
  for (const std::uint64_t node : nodes) insert(launch, node);
  return launch;
}

void CuptiGraphNodes::remove(Handle launch) noexcept {
  const std::lock_guard lock(mutex_);
  const auto at = launches_.find(launch);
  if (at == launches_.end()) return;
  for (const std::uint64_t node : at->second.nodes) {
    const auto known = nodes_.find(node);
    if (known != nodes_.end() && known->second.launch == launch) nodes_.erase(known);
    copies_.erase({launch, graph_of(node)});
  }
  launches_.erase(at);
}

void CuptiGraphNodes::cloned(std::uint64_t original, std::uint64_t copy) noexcept {
  const std::lock_guard lock(mutex_);
  const auto at = nodes_.find(original);
  if (at == nodes_.end()) return;
  const Handle of = at->second.launch;
  try {
    insert(of, copy);
  } catch (...) {
    ++counters_.dropped;  // out of memory
    const auto launch = launches_.find(of);
    if (launch != launches_.end()) launch->second.complete = false;
  }
}

void CuptiGraphNodes::replayed(std::uint32_t correlation) noexcept {
  if (replaying.sink != nullptr) replaying.sink->replayed(replaying.replay, correlation);
  const std::lock_guard lock(mutex_);
  last_replay_ = correlation;
}

void CuptiGraphNodes::record(std::uint64_t node, std::uint32_t correlation, std::uint64_t ns) noexcept {
  const std::lock_guard lock(mutex_);
  if (++counters_.records >= records_limit_) exhausted_.store(true, std::memory_order_relaxed);
  const auto at = nodes_.find(node);
  if (at == nodes_.end()) return;
  const auto launch = launches_.find(at->second.launch);
  const auto copy = copies_.find({at->second.launch, at->second.graph});
  if (launch == launches_.end() || copy == copies_.end() || !launch->second.complete) return;
  if (!is_later(correlation, launch->second.since)) {
    ++counters_.stale;
    return;
  }
  Copy& c = copy->second;
  if (c.seen == 0 || c.correlation != correlation) {
    if (c.seen != 0) ++counters_.partial;
    c.seen = 0;
    c.ns = 0;
    c.correlation = correlation;
  }
  c.ns += ns;
  if (++c.seen < c.nodes) return;
  c.seen = 0;
  ++counters_.recorded;
  launch->second.sink->receive(launch->second.tag, correlation, Latency{static_cast<double>(c.ns)});
}

CuptiGraphNodes::Counters CuptiGraphNodes::counters() const noexcept {
  const std::lock_guard lock(mutex_);
  Counters all = counters_;
  all.nodes = nodes_.size();
  return all;
}

bool CuptiGraphNodes::empty() const noexcept {
  const std::lock_guard lock(mutex_);
  return nodes_.empty();
}

}  // namespace adaptive::cuda
