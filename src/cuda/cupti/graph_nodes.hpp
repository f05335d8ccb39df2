// Finds the launch to which the kernels of a replayed graph belong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include <adaptive/key.hpp>
#include <adaptive/operation.hpp>

namespace adaptive::inline v1::cuda {

/// The kernel records of a replay carry the id of the node in the executable graph. CUPTI reports every copy
/// of a node when it is made, from the captured graph to its clone to the executable graph. A launch is
/// therefore registered with its captured nodes before the graph is instantiated, and is found again from all
/// copies of these nodes. In each replay, the latency of a launch is the sum over its nodes; the operation
/// receives it with `record(key, variant, latency)`.
///
/// Thread-safe. Holds at most `nodes_max` nodes; further copies are not timed, but counted.
class CuptiGraphNodes {
 public:
  static constexpr std::size_t nodes_max = 65'536;

  using Handle = std::uint64_t;  ///< 0: none

  /// Registers a captured launch and the ids of its kernel nodes (`CuptiSession::graph_node_id`).
  Handle add(std::span<const std::uint64_t> nodes, Operation& operation, const Key& key,
             std::uint32_t variant);
  /// Must be called before the operation is destroyed. Also forgets all copies of the launch.
  void remove(Handle launch) noexcept;

  // Called when CUPTI reports a copied node, a graph launch, or a kernel of a graph.
  void cloned(std::uint64_t original, std::uint64_t copy) noexcept;
  void replayed(std::uint32_t correlation) noexcept;
  void record(std::uint64_t node, std::uint32_t correlation, std::uint64_t ns) noexcept;

  struct Counters {
    std::uint64_t recorded = 0;  ///< latencies given to operations
    std::uint64_t partial = 0;   ///< replays with missing records
    std::uint64_t dropped = 0;   ///< copies beyond the bound
    std::size_t nodes = 0;
  };
  Counters counters() const noexcept;
  bool empty() const noexcept;

 private:
  struct Launch {
    Operation* operation = nullptr;
    Key key;
    std::uint32_t variant = 0;
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
  Counters counters_;
};

}  // namespace adaptive::cuda
