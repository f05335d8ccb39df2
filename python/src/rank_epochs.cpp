#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <adaptive/rank_epochs.hpp>

#include "bindings.hpp"
#include "program/log.hpp"
#include "program/store.hpp"
#include "selector_state.hpp"

namespace adaptive::python {
namespace {

// Epochs of ranks and the selector to which they belong. A step may wait for another process, and a store
// that is written in Python needs the GIL, so a boundary is passed without the GIL.
class RankEpochsState {
 public:
  RankEpochsState(nb::object selector, RankEpochsOptions options)
      : selector_(std::move(selector)),
        epochs_(std::make_unique<RankEpochs>(nb::cast<SelectorState&>(selector_).selector(),
                                             std::move(options))) {}
  RankEpochsState(const RankEpochsState&) = delete;
  RankEpochsState& operator=(const RankEpochsState&) = delete;
  ~RankEpochsState() {
    const nb::gil_scoped_release release;
    epochs_.reset();
  }

  bool step(std::uint64_t number) {
    const Delivery delivery;
    const nb::gil_scoped_release release;
    return epochs_->step(number);
  }
  void announce(const std::filesystem::path& table) {
    const Delivery delivery;
    const nb::gil_scoped_release release;
    epochs_->announce(table);
  }
  int rank() const noexcept { return epochs_->rank(); }

 private:
  struct Delivery {
    ~Delivery() { deliver_log(); }
  };

  nb::object selector_;
  std::unique_ptr<RankEpochs> epochs_;
};

void make_rank_epochs(RankEpochsState* self, nb::object selector, nb::object store, std::string job,
                      std::optional<int> rank, std::uint64_t interval, double patience) {
  if (!nb::isinstance<SelectorState>(selector)) throw nb::type_error("selector is a Selector");
  new (self)
      RankEpochsState(std::move(selector), {.store = store_of(std::move(store)),
                                            .job = std::move(job),
                                            .rank = rank.value_or(-1),
                                            .interval = interval,
                                            .patience = std::chrono::duration_cast<std::chrono::milliseconds>(
                                                std::chrono::duration<double>(patience))});
}

}  // namespace

void bind_rank_epochs(nb::module_& module) {
  nb::class_<RankEpochsState>(module, "RankEpochs", nb::is_final(),
                              "Epochs of ranks through a store: rank 0 announces a table at any time, and "
                              "every rank takes it up at the\n"
                              "same step. A rank that dies is not waited for; one that starts again takes up "
                              "what was decided before.")
      .def(
          "__init__", &make_rank_epochs, nb::arg("selector"), nb::arg("store"), nb::arg("job"), nb::kw_only(),
          nb::arg("rank") = nb::none(), nb::arg("interval") = 1000, nb::arg("patience") = 60.0,
          nb::sig(
              "def __init__(self, selector: Selector, store: Store | object, job: str, *, rank: int | None = "
              "None, interval: int = 1000, patience: float = 60.0) -> None"),
          "store: the one that all ranks share (see Store).\n"
          "job: the same name for all ranks; another one for a job that begins anew.\n"
          "rank: None is that of the environment (RANK and others), or 0.\n"
          "interval: steps between two boundaries, the same for all ranks.\n"
          "patience: seconds for which a step waits for a rank 0 that is far behind.\n\n"
          "Raises Error where the selector is not rank_consistent.")
      .def("step", &RankEpochsState::step, nb::arg("number"),
           "Begins a step, before its launches; the same number for the same step on all ranks. Returns "
           "whether "
           "the\nepoch has risen. Raises Error if rank 0 has not decided in time; the step must not launch "
           "then.")
      .def("announce", &RankEpochsState::announce, nb::arg("path"),
           nb::sig("def announce(self, path: str | os.PathLike[str]) -> None"),
           "Rank 0: gives all ranks this table as their next epoch.")
      .def_prop_ro("rank", &RankEpochsState::rank);
}

}  // namespace adaptive::python
