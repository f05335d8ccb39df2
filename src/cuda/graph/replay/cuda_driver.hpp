// Learning under replay on a real GPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <adaptive/cuda/replay.hpp>
#include "cuda/cupti/session.hpp"
#include "cuda/driver.hpp"
#include "cuda/event_pool.hpp"
#include "cuda/graph/driver.hpp"
#include "cuda/graph/graph_builder.hpp"
#include "cuda/graph/graph_meter.hpp"
#include "cuda/graph/replay/client.hpp"
#include "cuda/graph/replay/copy_driver.hpp"
#include "cuda/graph/replay/driver.hpp"
#include "cuda/graph/replay/forms.hpp"
#include "cuda/graph/replay/graph_copy.hpp"
#include "cuda/graph/replay/records.hpp"
#include "cuda/graph/stamps.hpp"

namespace adaptive::inline v1::cuda {

/// An executable is made of a copy of the captured graph. If CUPTI is free, the nodes of its launches are
/// registered. Otherwise the copy has kernels around each launch that is timed, which note the time of the
/// GPU's clock, or pairs of event records where that clock is too coarse. The noted times are copied to the
/// host by a stream of the object's, so that the program's stream does not wait for the copy. The program's
/// own graph and executable are never changed.
class CudaReplayDriver : public ReplayDriver {
 public:
  struct Parts {
    const Driver& driver;
    const GraphDriver& graphs;
    const CopyDriver& copies;
    /// Must not change as long as the object lives.
    const std::vector<TrackedLaunch>& launches;
    CUgraph graph;
    CUcontext context;
    unsigned long long flags;  ///< of the program's executable
    EventPool* pool;           ///< of the context
    ReplayClient* client;      ///< null: nothing is timed
    std::size_t free_memory_min;
    bool has_runtime = true;        ///< see `ReplayForms`
    bool has_builder = true;        ///< whether executables that are begun are instantiated on another thread
    GraphStamps* stamps = nullptr;  ///< null: those of the meter, if it has any
  };
  explicit CudaReplayDriver(const Parts& parts);
  CudaReplayDriver(const CudaReplayDriver&) = delete;
  CudaReplayDriver& operator=(const CudaReplayDriver&) = delete;
  ~CudaReplayDriver() override;

  /// Latencies from CUPTI that belonged to no look.
  std::uint64_t stale() const noexcept { return records_.stale(); }
  /// Whether the launch has kernels, between which and the rest of the graph there is room for records of
  /// events.
  bool can_time(std::size_t launch) const;

  Timing timing() noexcept override;
  std::uint32_t source() noexcept override;
  Latency timing_cost() noexcept override;
  Form form(std::size_t launch, std::uint32_t variant) noexcept override;
  Made make(std::span<const std::uint32_t> variants, std::span<const std::size_t> timed) noexcept override;
  Made begin(std::span<const std::uint32_t> variants, std::span<const std::size_t> timed) noexcept override;
  Making outcome(Handle handle) noexcept override;
  Set set(Handle handle, std::span<const Change> changes) noexcept override;
  bool launch(Handle handle, Flight flight, Stream stream) noexcept override;
  bool finished(Flight flight) noexcept override;
  Reading latency(Flight flight, std::size_t launch) noexcept override;
  void release(Flight flight) noexcept override;
  void destroy(Handle handle) noexcept override;
  void give(Operation& operation, const Decision& decision, Latency latency) noexcept override;

 private:
  struct Timed {
    std::size_t launch = 0;
    CUevent start = nullptr;
    CUevent end = nullptr;
    CuptiGraphNodes::Handle nodes = 0;
    const GraphStamps::Pair* stamps = nullptr;  // on the host
  };
  struct Executable {
    std::optional<GraphCopy> copy = {};  // the graph that was instantiated, to which `nodes` belong
    CUgraphExec exec = nullptr;
    std::map<std::size_t, Nodes> nodes = {};  // of the launches that can be set
    std::vector<Timed> timed = {};
    CUevent done = nullptr;                         // behind the latest replay
    CUevent copied = nullptr;                       // behind the copy of the latest stamps
    CuptiSession* cupti = nullptr;                  // null: stamps or events
    std::vector<std::uint32_t> blocks = {};         // of stamps; none: events
    std::vector<Change> changes = {};               // to be made once the graph is instantiated
    std::shared_ptr<GraphBuilder::Task> task = {};  // null: not begun, or finished
    bool launched = false;
  };
  struct Flown {
    Handle executable = 0;
    bool by_records = false;
  };

  bool by_records() noexcept;
  GraphStamps* stamps() const noexcept;
  CUstream side() noexcept;
  void note_unreadable() noexcept;
  bool context_lives() const noexcept;
  Made make(std::span<const std::uint32_t> variants, std::span<const std::size_t> timed, bool now) noexcept;
  bool prepare(Executable& executable, Handle handle, std::span<const std::uint32_t> variants,
               std::span<const std::size_t> timed);
  bool instantiate(Executable& executable);
  bool leave_to_builder(Executable& executable);
  bool finish(Executable& executable, bool uploaded);
  bool add_timing(Executable& executable, Handle handle, std::size_t launch, const Nodes& nodes);
  bool add_stamps(Executable& executable, std::size_t launch, const Nodes& nodes, GraphStamps& stamps);
  bool copy_stamps(const Executable& executable) noexcept;
  void release_stamps(Executable& executable) noexcept;
  bool set_nodes(const Executable& executable, std::span<const Change> changes, Set& set);
  bool leave_destruction(Executable& executable) noexcept;
  void destroy(Executable& executable) noexcept;

  Parts parts_;
  GraphMeter* meter_;  // null without a pool
  ReplayForms forms_;
  ReplayRecords records_;
  unsigned long long context_id_ = 0;
  std::shared_ptr<GraphBuilder> builder_;
  std::shared_ptr<GraphBuilder::Task> last_destruction_;
  CUstream side_ = nullptr;  // for copies of stamps and for uploads
  std::map<Handle, Executable> executables_;
  std::map<Flight, Flown> flights_;
  Handle last_ = 0;
  bool lost_ = false;
  std::uint64_t unreadable_ = 0;  // readings of events that CUDA has refused, until the first that it gave
  bool readable_ = false;
};

}  // namespace adaptive::cuda
