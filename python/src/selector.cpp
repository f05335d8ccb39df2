#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <utility>

#include "bindings.hpp"
#include "errors.hpp"
#include "memory_limit.hpp"
#include "names.hpp"
#include "program/log.hpp"
#include "program/specification.hpp"
#include "selector_state.hpp"

namespace adaptive::python {

SelectorState::SelectorState(SelectorOptions options, std::unique_ptr<Callables> callables)
    : on_gpu_(options.device.libraries.contains("compute_capability")),
      callables_(std::move(callables)),
      log_(options.log) {
  const nb::gil_scoped_release release;
  selector_ = std::make_unique<Selector>(std::move(options));
  rank_consistent_ = selector_->rank_consistent();
}

SelectorState::~SelectorState() {
  const nb::gil_scoped_release release;
  timer_.reset();
  selector_.reset();
}

GpuTimer& SelectorState::timer() {
  if (timer_ == nullptr) {
    std::unique_ptr<GpuTimer> made;
    const char* why = "";
    {
      const nb::gil_scoped_release release;
      why = why_no_gpu();
      if (*why == '\0') made = std::make_unique<GpuTimer>(log_);
    }
    if (made == nullptr)
      raise_error("unsupported", why, "launch",
                  "leave out the stream: the host's clock times the launch then");
    // Another thread may have been faster.
    if (timer_ == nullptr) timer_ = std::move(made);
    timer_->hold_on_idle_streams(hold_ns_);
  }
  return *timer_;
}

void SelectorState::hold_on_idle_streams(std::uint64_t most_ns) noexcept {
  hold_ns_ = most_ns;
  if (timer_ != nullptr) timer_->hold_on_idle_streams(most_ns);
}

namespace {

// Runs what may wait for a lock or a file without the GIL; the messages that it caused are delivered before
// the caller goes on.
template <class F>
decltype(auto) unlocked(F&& body) {
  struct Delivery {
    ~Delivery() { deliver_log(); }
  } delivery;
  const nb::gil_scoped_release release;
  return std::forward<F>(body)();
}

int traverse_selector(PyObject* self, visitproc visit, void* arg) {  // the name that Py_VISIT uses
  Py_VISIT(Py_TYPE(self));
  return nb::inst_ready(self) ? nb::inst_ptr<SelectorState>(self)->callables().traverse(visit, arg) : 0;
}

int clear_selector(PyObject* self) {
  if (nb::inst_ready(self)) nb::inst_ptr<SelectorState>(self)->callables().clear();
  return 0;
}

// "standard", a place, several places, or None.
TableSearch search_of(nb::handle tables, std::string version) {
  std::filesystem::path place;
  if (tables.is_none()) return {.version = std::move(version)};
  if (nb::isinstance<nb::str>(tables) && nb::cast<std::string_view>(tables) == "standard")
    return TableSearch::standard(std::move(version));
  if (nb::try_cast(tables, place)) return {.places = {place}, .version = std::move(version)};
  std::vector<std::filesystem::path> places;
  if (!nb::try_cast(tables, places))
    throw nb::type_error("tables is 'standard', a path, several paths or None");
  return {.places = std::move(places), .version = std::move(version)};
}

// True: the user's folder; a path: that folder; None and False: as the environment says.
SocketOptions socket_of(nb::handle socket, std::string name) {
  SocketOptions options{.listen = false, .folder = {}, .name = std::move(name)};
  if (socket.is_none()) return options;
  if (nb::isinstance<nb::bool_>(socket)) {
    options.listen = nb::cast<bool>(socket);
    return options;
  }
  if (!nb::try_cast(socket, options.folder) || options.folder.empty())
    throw nb::type_error("socket is True, the path of a folder, or None");
  options.listen = true;
  return options;
}

void make_selector(SelectorState* self, nb::object tables, nb::object device, std::string_view mode,
                   std::optional<std::string> policy, std::optional<LearningOptions> learning, nb::object log,
                   std::optional<bool> rank_consistent, std::uint64_t seed, std::string version,
                   std::string writer, bool use_environment, bool background,
                   std::optional<std::filesystem::path> audit, nb::object socket, std::string socket_name) {
  const nb::object fingerprint =
      nb::module_::import_("adaptive_selector._device").attr("fingerprint")(device);
  auto callables = std::make_unique<Callables>();
  SelectorOptions options{.device = nb::cast<Fingerprint>(fingerprint),
                          .tables = search_of(tables, std::move(version)),
                          .mode = value_of(mode_names, mode, "mode"),
                          .rank_consistent = rank_consistent,
                          .seed = seed,
                          .learning = learning.value_or(LearningOptions{}),
                          .log = queued_log(log.is_none() ? nullptr : callables->add(log)),
                          .background = background,
                          .use_environment = use_environment,
                          .writer = std::move(writer),
                          .socket = socket_of(socket, std::move(socket_name))};
  if (policy) options.policy = make_policy(*policy);
  if (audit) options.audit.file = *std::move(audit);
  new (self) SelectorState(std::move(options), std::move(callables));
  deliver_log();
}

// Text is JSON already; anything else becomes JSON as Python's module json writes it.
std::string mapping_of(nb::handle mapping) {
  if (mapping.is_none()) return {};
  if (PyUnicode_Check(mapping.ptr()) != 0) return nb::cast<std::string>(mapping);
  return nb::cast<std::string>(nb::module_::import_("json").attr("dumps")(mapping));
}

nb::object define(nb::object self, std::string name, nb::iterable dimensions, nb::iterable variants,
                  nb::object candidates, nb::object parse, nb::object default_variant,
                  bool mix_numeric_classes, double nearest_limit, std::size_t max_keys, nb::object mapping) {
  auto& state = nb::cast<SelectorState&>(self);
  OperationSpec spec =
      specification_of(std::move(name), std::move(dimensions), std::move(variants), std::move(candidates),
                       std::move(parse), std::move(default_variant), state.callables());
  spec.mix_numeric_classes = mix_numeric_classes;
  spec.nearest_limit = nearest_limit;
  spec.max_keys = max_keys;
  spec.mapping = mapping_of(mapping);
  Operation& operation = unlocked([&]() -> Operation& { return state.selector().define(std::move(spec)); });
  return operation_object(self, state, operation);
}

nb::object find_operation(nb::object self, const std::string& name) {
  auto& state = nb::cast<SelectorState&>(self);
  Operation* const operation = unlocked([&] { return state.selector().find(name); });
  return operation == nullptr ? nb::none() : operation_object(self, state, *operation);
}

void bind_construction(nb::class_<SelectorState>& selector) {
  selector
      .def(
          "__init__", &make_selector, nb::kw_only(), nb::arg("tables").none() = "standard",
          nb::arg("device") = nb::none(), nb::arg("mode") = "online", nb::arg("policy") = nb::none(),
          nb::arg("learning") = nb::none(), nb::arg("log") = nb::none(),
          nb::arg("rank_consistent") = nb::none(), nb::arg("seed") = 0, nb::arg("version") = "",
          nb::arg("writer") = "", nb::arg("use_environment") = true, nb::arg("background") = true,
          nb::arg("audit").none() = nb::none(), nb::arg("socket") = nb::none(), nb::arg("socket_name") = "",
          nb::sig(
              "def __init__(self, *, tables: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | "
              "None = 'standard', device: Fingerprint | int | str | None = None, mode: str = 'online', "
              "policy: str | None = None, learning: LearningOptions | None = None, log: Callable[[str, str], "
              "object] | None = None, rank_consistent: bool | None = None, seed: int = 0, version: str = '', "
              "writer: str = '', use_environment: bool = True, background: bool = True, audit: str | "
              "os.PathLike[str] | None = None, socket: bool | str | os.PathLike[str] | None = None, "
              "socket_name: str = '') -> None"),
          "tables: 'standard' (the folders of ADAPTIVE_TABLES, the user's own folder, the tables of this "
          "package), a\ntable or folder, several of them, the most trusted first, or None.\n"
          "device: None is the current CUDA device where there is one, else the host; an ordinal, 'host', or "
          "a\n"
          "Fingerprint.\n"
          "mode: 'off', 'seed', 'observe', 'online' or 'frozen'.\n"
          "policy: one of policy_names().\n"
          "log: called as log(level, line) from a Python thread, soon after the message arose; an exception "
          "goes\n"
          "to sys.unraisablehook. None: the logger 'adaptive_selector' of the module logging.\n"
          "rank_consistent: what a key runs follows from the tables alone, so that processes launch alike. "
          "None: where the\nenvironment tells of several ranks (WORLD_SIZE with RANK, or MPI's variables).\n"
          "seed: of all random choices; without `background` a run repeats, given it and the order of the "
          "calls.\n"
          "version: of the program's kernels; tables of that version are preferred.\n"
          "writer: names what this run measures in tables; empty is a name that no other run has.\n"
          "use_environment: whether ADAPTIVE_MODE and ADAPTIVE_VARIANT override the program, and the "
          "environment "
          "may decide\nabout rank_consistent.\n"
          "background: whether a thread fits models; otherwise nothing is fitted until learn().\n"
          "audit: a file that gets a line of JSON for every change of an incumbent or of the mode, with the "
          "reason;\n"
          "None is the file that ADAPTIVE_AUDIT names, if use_environment.\n"
          "socket: whether `adaptive top` and `adaptive mode`, the kill switch, find the selector: True is "
          "the "
          "user's\n"
          "folder of sockets, a path is another one; None and False are as ADAPTIVE_SOCKET says, if "
          "use_environment.\n"
          "socket_name: what `adaptive top` calls the selector; empty is the device.\n\n"
          "Raises Error for options that do not fit, ValueError for an unknown mode.")
      .def(
          "define", &define, nb::arg("name"), nb::arg("dimensions"), nb::arg("variants"), nb::kw_only(),
          nb::arg("candidates") = nb::none(), nb::arg("parse") = nb::none(),
          nb::arg("default_variant") = nb::none(), nb::arg("mix_numeric_classes") = false,
          nb::arg("nearest_limit") = 1.0, nb::arg("max_keys") = 65'536, nb::arg("mapping") = nb::none(),
          nb::sig("def define(self, name: str, dimensions: Iterable[DimensionLike], variants: "
                  "Iterable[VariantLike], *, candidates: Callable[..., Sequence[int]] | None = None, parse: "
                  "Callable[[str, dict[str, bool | int | float | str]], VariantLike | None] | None = None, "
                  "default_variant: Callable[..., int] | None = None, mix_numeric_classes: bool = False, "
                  "nearest_limit: float = 1.0, max_keys: int = 65536, mapping: Mapping[str, Any] | str | "
                  "None = None) "
                  "-> Operation"),
          "Makes an operation and looks up its tables. The same dimensions and variants again give the same\n"
          "operation.\n\n"
          "name: letters, digits, '_', '-', '.'; tables find the operation by it.\n"
          "dimensions: 1 to 12 names, mappings of the fields of Dimension, or Dimensions.\n"
          "variants: names, mappings of the fields of Variant, or Variants; the first is the default.\n"
          "candidates: called with a new key's values; indices of the variants to try, the best guess "
          "first.\n"
          "parse: called with the name and the parameters of a variant that only a table has; the variant, "
          "or "
          "None.\n"
          "default_variant: called with a new key's values; the index of its default.\n"
          "nearest_limit: the largest distance, in doublings, at which a known key is borrowed from; "
          "negative: "
          "never.\n"
          "max_keys: further keys are served but not learned.\n"
          "mapping: how entries become rows of other systems' files (docs/formats.md), as a dict or JSON; "
          "saved tables\ncarry it, so that `adaptive export` needs nothing else.\n\n"
          "Raises Error for what does not fit, or another operation of the same name.")
      .def("find", &find_operation, nb::arg("name"), nb::sig("def find(self, name: str) -> Operation | None"),
           "The operation of that name, or None.");
}

void bind_tables(nb::class_<SelectorState>& selector) {
  selector
      .def(
          "load",
          [](SelectorState& state, const std::filesystem::path& path) {
            unlocked([&] { state.selector().load(path); });
          },
          nb::arg("path"), nb::sig("def load(self, path: str | os.PathLike[str]) -> None"),
          "Adds a table's entries to what keys start from that have no state yet. Raises Error where the "
          "file "
          "cannot\nbe used at all.")
      .def(
          "save",
          [](const SelectorState& state, const std::filesystem::path& path) {
            unlocked([&] { state.selector().save(path); });
          },
          nb::arg("path"), nb::sig("def save(self, path: str | os.PathLike[str]) -> None"),
          "Writes everything that is known to a table, together with what other processes have written to "
          "it. "
          "Atomic.\nWaits at most 30 s for others that save. Raises Error, with the file untouched, where it "
          "cannot be written.")
      .def(
          "advance_epoch",
          [](SelectorState& state, const std::filesystem::path& path) {
            unlocked([&] { state.selector().advance_epoch(path); });
          },
          nb::arg("path"), nb::sig("def advance_epoch(self, path: str | os.PathLike[str]) -> None"),
          "With rank_consistent: every rank takes up the table at the same point of its work.")
      .def(
          "fit_predictions",
          [](SelectorState& state) { unlocked([&] { state.selector().fit_predictions(); }); },
          "Fits the model that predicts new keys to what is known by now: some milliseconds an operation.")
      .def(
          "learn", [](SelectorState& state) { unlocked([&] { state.selector().learn(); }); },
          "Does the work of the thread that fits models on the calling thread, until nothing is left.");
}

nb::dict counters_dict(const GpuTimerCounters& c) {
  nb::dict dict;
  dict["timed"] = c.timed;
  dict["recorded"] = c.recorded;
  dict["idle"] = c.idle;
  dict["queued"] = c.queued;
  dict["lost"] = c.lost;
  dict["pending"] = c.pending;
  dict["dropped"] = c.dropped;
  dict["captured"] = c.captured;
  dict["failed"] = c.failed;
  dict["cancelled"] = c.cancelled;
  return dict;
}

void bind_timer(nb::class_<SelectorState>& selector) {
  selector
      .def(
          "poll",
          [](SelectorState& state) {
            GpuTimer* const timer = state.used_timer();
            return timer == nullptr ? std::size_t{0} : unlocked([&] { return timer->poll(); });
          },
          "Takes the latencies that have arrived from GPUs; returns for how many launches. Launches do so "
          "by\n"
          "themselves; a program that stops launching calls it. Never waits.")
      .def(
          "drain",
          [](SelectorState& state) {
            GpuTimer* const timer = state.used_timer();
            return timer == nullptr || unlocked([&] { return timer->drain(); });
          },
          "Waits until the latencies of all timed launches have arrived, for the end of a run or a test. "
          "False\n"
          "where a device failed.")
      .def(
          "hold_on_idle_streams",
          [](SelectorState& state, double most) {
            if (!(most >= 0.0 && most <= 1.0))
              throw nb::value_error("hold_on_idle_streams takes a time between 0 and 1 second");
            state.hold_on_idle_streams(static_cast<std::uint64_t>(most * 1e9));
          },
          nb::arg("most"),
          "From now on a timed launch that meets an idle stream waits on the GPU until the host has enqueued "
          "all of its\nkernels, at most `most` seconds; 0 switches it off, as at the start. For launches of "
          "several kernels whose host\nis slower than the GPU: their latency would be that of the host.")
      .def_prop_ro(
          "timer_counters",
          [](SelectorState& state) {
            GpuTimer* const timer = state.used_timer();
            return counters_dict(timer == nullptr ? GpuTimerCounters{} : timer->counters());
          },
          nb::sig("def timer_counters(self) -> dict[str, int]"),
          "What the GPU timer has done: launches timed, recorded, idle and queued (left out because of the "
          "stream's\nstate), lost, pending, dropped (no slot was free), captured, failed and\n"
          "cancelled.");
}

}  // namespace

void bind_selectors(nb::module_& module) {
  static PyType_Slot slots[] = {{Py_tp_traverse, reinterpret_cast<void*>(traverse_selector)},
                                {Py_tp_clear, reinterpret_cast<void*>(clear_selector)},
                                {0, nullptr}};
  nb::class_<SelectorState> selector(module, "Selector", nb::type_slots(slots), nb::is_final(),
                                     nb::is_weak_referenceable(),
                                     "The operations of one device, their tables, and what this run has "
                                     "learned. Any number of threads may use "
                                     "it.");
  bind_construction(selector);
  bind_tables(selector);
  bind_timer(selector);
  selector
      .def_prop_rw(
          "mode", [](const SelectorState& state) { return name_of(mode_names, state.selector().mode()); },
          [](SelectorState& state, std::string_view mode) {
            const Mode value = value_of(mode_names, mode, "mode");
            unlocked([&] { state.selector().set_mode(value); });
          },
          "'off', 'seed', 'observe', 'online' or 'frozen'; an assignment takes effect for every key before "
          "it "
          "returns.")
      .def_prop_rw(
          "memory_limit",
          [](const SelectorState& state) { return known_limit(state.selector().memory_limit()); },
          [](SelectorState& state, std::optional<std::uint64_t> bytes) {
            unlocked(
                [&] { state.selector().set_memory_limit(bytes.value_or(LearningOptions::no_memory_limit)); });
          },
          "Bytes that a variant may need for a key besides the operands, None without a limit. An assignment "
          "takes\n"
          "effect for every key before it returns: what needs more does not run, as long as a variant needs "
          "less.")
      .def_prop_ro(
          "epoch", [](const SelectorState& state) { return state.selector().epoch(); },
          "Rises with every change of an incumbent.")
      .def_prop_ro("device", [](const SelectorState& state) { return state.selector().device(); })
      .def_prop_ro("rank_consistent", &SelectorState::waits_for_new_keys,
                   "Whether what a key runs follows from the tables alone.")
      .def("__repr__", [](const SelectorState& state) {
        return "Selector(device='" + state.selector().device().device + "', mode='" +
               name_of(mode_names, state.selector().mode()) + "')";
      });
}

}  // namespace adaptive::python
