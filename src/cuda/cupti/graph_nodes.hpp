// Which launch the kernels of a replayed graph belong to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include <adaptive/key.hpp>
#include <adaptive/operation.hpp>

namespace adaptive::inline v1::timing {

/// Kernel records of a replay bear the id of the node in the executable graph. CUPTI tells of every copy of a
/// node as it is made, from captured graph to clone to executable, so a launch is registered with the nodes
/// that it was captured as, before the graph is instantiated, and found again from all copies. A replay's
/// latency of a launch is the sum over its nodes; it is given to the operation with `record(key, variant,
/// latency)`.
///
/// Thread-safe. Bounded by `nodes_max`; copies beyond it are not timed, and counted.
class CuptiGraphNodes {
 public:
  static constexpr std::size_t nodes_max = 65'536;

  using Handle = std::uint64_t;  ///< 0: none

  /// A captured launch with the ids of its kernel nodes (`CuptiSession::graph_node_id`).
  Handle add(std::span<const std::uint64_t> nodes, Operation& operation, const Key& key,
             std::uint32_t variant);
  /// Before the operation goes. Its copies are forgotten with it.
  void remove(Handle launch) noexcept;

  // From CUPTI.
  void cloned(std::uint64_t original, std::uint64_t copy) noexcept;
  void replayed(std::uint32_t correlation) noexcept;
  void record(std::uint64_t node, std::uint32_t correlation, std::uint64_t ns) noexcept;

  struct Counters {
    std::uint64_t recorded = 0;  ///< latencies given to operations
    std::uint64_t partial = 0;   ///< replays of which not all records came
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
    std::uint32_t since = 0;                ///< correlation id of the last replay that does not count
    std::vector<std::uint64_t> nodes = {};  ///< all copies
  };
  /// The nodes of one launch in one graph, and how much of a replay has come.
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

}  // namespace adaptive::timing
