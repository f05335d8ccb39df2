#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include <adaptive/saver.hpp>

#include "bindings.hpp"
#include "errors.hpp"
#include "program/log.hpp"
#include "program/store.hpp"
#include "selector_state.hpp"

namespace adaptive::python {
namespace {

// A saver and the selector that it saves. Its thread may need the GIL (for a store that is written in
// Python), so nothing here holds the GIL while it waits for that thread.
class SaverState {
 public:
  SaverState(nb::object selector, SaverOptions options) : selector_(std::move(selector)) {
    Selector& of = nb::cast<SelectorState&>(selector_).selector();
    const nb::gil_scoped_release release;
    saver_ = std::make_unique<Saver>(of, std::move(options));
  }
  SaverState(const SaverState&) = delete;
  SaverState& operator=(const SaverState&) = delete;
  ~SaverState() { close(); }

  void close() {
    std::unique_ptr<Saver> saver = std::move(saver_);
    if (saver == nullptr) return;
    last_ = saver->status();
    {
      const nb::gil_scoped_release release;
      saver.reset();
    }
    deliver_log();
  }
  void save() {
    {
      Saver& saver = open();
      const nb::gil_scoped_release release;
      saver.save();
    }
    deliver_log();
  }
  void request() { open().request(); }
  Saver::Status status() const {
    if (saver_ == nullptr) return last_;
    const nb::gil_scoped_release release;
    return saver_->status();
  }

 private:
  Saver& open() {
    if (saver_ == nullptr) raise_error("not_allowed_now", "the saver is closed", "Saver");
    return *saver_;
  }

  nb::object selector_;
  std::unique_ptr<Saver> saver_;
  Saver::Status last_;
};

void make(SaverState* self, nb::object selector, std::optional<std::filesystem::path> path, nb::object store,
          double interval) {
  if (!nb::isinstance<SelectorState>(selector)) throw nb::type_error("selector is a Selector");
  new (self)
      SaverState(std::move(selector), {.path = path.value_or(std::filesystem::path()),
                                       .store = store_of(std::move(store)),
                                       .interval = std::chrono::duration_cast<std::chrono::milliseconds>(
                                           std::chrono::duration<double>(interval))});
  // What is measured until the end of the program is saved then.
  nb::module_::import_("adaptive_selector._exit").attr("close_at_exit")(nb::find(*self));
}

}  // namespace

void bind_savers(nb::module_& module) {
  using Status = Saver::Status;
  nb::class_<Status>(module, "SaverStatus", "What a saver has done since it was made.")
      .def_ro("saved", &Status::saved)
      .def_ro("unchanged", &Status::unchanged, "Times at which there was nothing new to save.")
      .def_ro("failed", &Status::failed)
      .def_ro("error", &Status::error, "Of the last save, where it failed.")
      .def_ro("exchanged", &Status::exchanged, "Exchanges with the store.")
      .def_ro("exchanges_failed", &Status::exchanges_failed);

  nb::class_<SaverState>(
      module, "Saver", nb::is_weak_referenceable(), nb::is_final(),
      "Saves what a selector learns while the program runs: at every interval, when asked to, "
      "when it is\nclosed, and when the program ends. Make it after the program has forked.")
      .def("__init__", &make, nb::arg("selector"), nb::arg("path") = nb::none(), nb::kw_only(),
           nb::arg("store") = nb::none(), nb::arg("interval") = 60.0,
           nb::sig(
               "def __init__(self, selector: Selector, path: str | os.PathLike[str] | None = None, *, store: "
               "Store | object | None = None, interval: float = 60.0) -> None"),
           "path: the table; other processes may save to the same one. None: only the store.\n"
           "store: where processes share what they measure (see Store).\n"
           "interval: seconds between two saves, and two exchanges with the store.\n\n"
           "Raises Error where there is neither path nor store, or the interval is not positive.")
      .def("request", &SaverState::request, "Asks for an exchange and a save soon.")
      .def("save", &SaverState::save, "Saves the table now. Raises Error as Selector.save does.")
      .def("close", &SaverState::close, "Exchanges and saves once more, and ends. May be called again.")
      .def_prop_ro("status", &SaverState::status)
      .def(
          "__enter__", [](nb::object self) { return self; }, nb::sig("def __enter__(self) -> Saver"))
      .def(
          "__exit__", [](SaverState& self, nb::args) { self.close(); },
          nb::sig("def __exit__(self, *exception: object) -> None"));
}

}  // namespace adaptive::python
