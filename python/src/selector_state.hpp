// What stands behind a Python Selector, and behind a Python Operation.
#pragma once

#include <memory>

#include <nanobind/nanobind.h>

#include <adaptive/selector.hpp>
#include "calls/gpu_timer.hpp"
#include "program/callable.hpp"

namespace adaptive::python {

/// A selector and the functions of the program that it calls.
class SelectorState {
 public:
  /// The GIL is held; it is released while the selector looks at files.
  SelectorState(SelectorOptions options, std::unique_ptr<Callables> callables);
  SelectorState(const SelectorState&) = delete;
  SelectorState& operator=(const SelectorState&) = delete;
  /// Releases the GIL: a thread of the selector that ends may be waiting for it.
  ~SelectorState();

  Selector& selector() noexcept { return *selector_; }
  const Selector& selector() const noexcept { return *selector_; }
  Callables& callables() noexcept { return *callables_; }
  /// Whether a new key waits for a lock instead of running the default variant (see `Operation::select`).
  bool waits_for_new_keys() const noexcept { return rank_consistent_; }
  /// Whether launches run on a GPU, so that the host's clock says nothing of them.
  bool on_gpu() const noexcept { return on_gpu_; }
  /// Made at its first use. Raises Error in Python where there is no GPU. The GIL is held.
  GpuTimer& timer();
  /// Sets `GpuTimer::hold_on_idle_streams` of the timer, also of one that is made later. The GIL is held.
  void hold_on_idle_streams(std::uint64_t most_ns) noexcept;
  /// Null where no launch has used it.
  GpuTimer* used_timer() noexcept { return timer_.get(); }

 private:
  bool rank_consistent_ = false;
  bool on_gpu_;
  std::unique_ptr<Callables> callables_;
  LogCallback log_;
  std::unique_ptr<Selector> selector_;
  std::uint64_t hold_ns_ = 0;
  std::unique_ptr<GpuTimer> timer_;  // destroyed first: it holds decisions of the selector
};

/// An operation together with the Python object that keeps its selector alive.
struct OperationState {
  Operation* operation = nullptr;
  SelectorState* owner = nullptr;
  nb::object selector;
  std::size_t dimensions = 0;
  /// New keys of this operation may call functions of the program while other threads wait for a lock.
  bool may_wait = false;
};

/// The Python object of an operation of `selector`, which is a Selector.
nb::object operation_object(nb::handle selector, SelectorState& owner, Operation& operation);

}  // namespace adaptive::python
