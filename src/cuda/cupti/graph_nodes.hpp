// Finds the launch to which the kernels of a replayed graph belong.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include <adaptive/latency.hpp>

namespace adaptive::inline v1::cuda {

/// Receives the latencies of the launches of replayed graphs.
class GraphRecordSink {
 public:
  virtual ~GraphRecordSink() = default;
  /// The graph launch that the thread makes within `CuptiGraphNodes::Replay` has this correlation id. Called
  /// before the launch, on its thread.
  virtual void replayed(std::uint64_t replay, std::uint32_t correlation) noexcept = 0;
  /// The latency of the launch that was registered with `tag`, in the replay with this correlation id. Called
  /// on a thread of CUPTI or on the flushing thread. Must not call the `CuptiGraphNodes`.
  virtual void receive(std::uint64_t tag, std::uint32_t correlation, Latency latency) noexcept = 0;
};

/// The kernel records of a replay carry the id of the node in the executable graph. CUPTI reports every copy
/// of a node when it is made, from the captured graph to its clone to the executable graph. A launch is
/// therefore registered with its captured nodes before the graph is instantiated, and is found again from all
/// copies of these nodes. In each replay, the latency of a launch is the sum over its nodes. Its sink
/// receives it together with the correlation id of the replay, which tells what the launch ran: an update of
/// an executable graph changes its nodes, not their ids.
///
/// Thread-safe. Holds at most `nodes_max` nodes; a launch with further copies is not timed, and they are
/// counted.
class CuptiGraphNodes {
 public:
  static constexpr std::size_t nodes_max = 65'536;
  /// From so many kernel records of graphs on, CUPTI 13.0.85 is known to take ever more memory and to report
  /// wrong times. The figure leaves a margin to the 25 million at which this was seen.
  static constexpr std::uint64_t records_max = 20'000'000;

  using Handle = std::uint64_t;  ///< 0: none

  explicit CuptiGraphNodes(std::uint64_t records_limit = records_max) noexcept
      : records_limit_(records_limit) {}

  /// Registers a launch of a graph that has not been instantiated, and the ids of its kernel nodes
  /// (`CuptiSession::graph_node_id`).
  Handle add(std::span<const std::uint64_t> nodes, GraphRecordSink& sink, std::uint64_t tag);
  /// Must be called before the sink is destroyed, which is not called afterwards. Also forgets all copies of
  /// the launch.
  void remove(Handle launch) noexcept;

  /// The graph launch that this thread makes in the scope of the object is `replay` of the sink.
  class Replay {
   public:
    Replay(GraphRecordSink& sink, std::uint64_t replay) noexcept;
    Replay(const Replay&) = delete;
    Replay& operator=(const Replay&) = delete;
    ~Replay();
  };

  // Called when CUPTI reports a copied node, a graph launch, or a kernel of a graph.
  void cloned(std::uint64_t original, std::uint64_t copy) noexcept;
  void replayed(std::uint32_t correlation) noexcept;
  void record(std::uint64_t node, std::uint32_t correlation, std::uint64_t ns) noexcept;

  struct Counters {
    std::uint64_t records = 0;   ///< kernel records of graphs, of the whole process
    std::uint64_t recorded = 0;  ///< latencies given to sinks
    std::uint64_t partial = 0;   ///< replays with missing records
    std::uint64_t stale = 0;     ///< records of a replay from before the launch was registered
    std::uint64_t dropped = 0;   ///< copies beyond the bound
    std::size_t nodes = 0;
  };
  Counters counters() const noexcept;
  bool empty() const noexcept;
  /// Whether there have been as many records as the limit, so that graphs must not be timed by CUPTI any
  /// more.
  bool exhausted() const noexcept { return exhausted_.load(std::memory_order_relaxed); }

 private:
  struct Launch {
    GraphRecordSink* sink = nullptr;
    std::uint64_t tag = 0;
    bool complete = true;     ///< whether all copies are known, so that sums over its nodes are right
    std::uint32_t since = 0;  ///< correlation id of the latest replay before the launch was registered
    std::vector<std::uint64_t> nodes = {};  ///< the captured nodes and all their copies
  };
  /// The nodes of one launch in one graph, and the part of a replay that has been recorded so far.
  struct Copy {
    std::size_t nodes = 0;
    std::size_t seen = 0;
    std::uint32_t correlation = 0;
    std::uint64_t ns = 0;
  };
  struct Node {
    Handle launch = 0;
    std::uint64_t graph = 0;
  };
  struct CopyOf {
    Handle launch;
    std::uint64_t graph;
    bool operator==(const CopyOf&) const = default;
  };
  struct Hash {
    std::size_t operator()(const CopyOf& of) const noexcept {
      return static_cast<std::size_t>(of.launch * 0x9E3779B97F4A7C15u ^ of.graph);
    }
  };

  void insert(Handle launch, std::uint64_t node);

  mutable std::mutex mutex_;
  std::unordered_map<Handle, Launch> launches_;
  std::unordered_map<std::uint64_t, Node> nodes_;
  std::unordered_map<CopyOf, Copy, Hash> copies_;
  Handle last_ = 0;
  std::uint32_t last_replay_ = 0;
  const std::uint64_t records_limit_;
  std::atomic<bool> exhausted_{false};
  Counters counters_;
};

}  // namespace adaptive::cuda
