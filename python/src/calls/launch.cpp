#include "calls/launch.hpp"

#include <nanobind/stl/string.h>

#include <chrono>
#include <optional>
#include <utility>

#include "bindings.hpp"
#include "calls/decision.hpp"
#include "calls/fast_call.hpp"
#include "errors.hpp"

namespace adaptive::python {
namespace {

// An attribute, or null without an exception where there is none.
nb::object attribute(nb::handle object, const char* name) {
  PyObject* const found = PyObject_GetAttrString(object.ptr(), name);
  if (found == nullptr) {
    if (PyErr_ExceptionMatches(PyExc_AttributeError) == 0) nb::raise_python_error();
    PyErr_Clear();
  }
  return nb::steal(found);
}

// A CUDA stream's handle: an integer, a stream of PyTorch, or what `__cuda_stream__` answers, (version,
// handle).
std::uintptr_t handle_of(nb::handle stream) {
  nb::object handle = nb::borrow(stream);
  if (PyLong_Check(stream.ptr()) == 0) {
    handle = attribute(stream, "cuda_stream");
    if (!handle.is_valid()) {
      nb::object protocol = attribute(stream, "__cuda_stream__");
      if (protocol.is_valid() && PyCallable_Check(protocol.ptr()) != 0) protocol = protocol();
      if (protocol.is_valid() && nb::isinstance<nb::tuple>(protocol) && nb::len(protocol) == 2)
        handle = protocol[1];
    }
  }
  if (!handle.is_valid() || PyLong_Check(handle.ptr()) == 0)
    throw nb::type_error("stream is an integer, a stream of PyTorch, or an object with __cuda_stream__");
  const unsigned long long value = PyLong_AsUnsignedLongLong(handle.ptr());
  if (PyErr_Occurred() != nullptr) nb::raise_python_error();
  return static_cast<std::uintptr_t>(value);
}

// Selects and begins the timing where its block is entered, ends the timing where it is left.
class Launch {
 public:
  Launch(nb::handle operation, OperationState& state, const Key& key, const Site* site,
         std::optional<std::uintptr_t> stream)
      : operation_(nb::borrow(operation)), state_(&state), key_(key), stream_(stream) {
    if (site != nullptr) site_ = *site;
  }

  void enter() {
    if (entered_)
      raise_error("not_allowed_now", "a launch is entered once", state_->operation->name(),
                  "make another one");
    entered_ = true;
    if (stream_) {
      GpuTimer& timer = state_->owner->timer();
      if (state_->may_wait) {
        const nb::gil_scoped_release release;
        begin(timer);
      } else {
        begin(timer);
      }
      decision_ = gpu_->decision();
      timed_ = gpu_->timed();
      captured_ = gpu_->captured();
      if (captured_) pin_ = gpu_->pin();
      return;
    }
    if (state_->may_wait) {
      const nb::gil_scoped_release release;
      decision_ = site_ ? site_->select() : state_->operation->select(key_);
    } else {
      decision_ = site_ ? site_->select() : state_->operation->select(key_);
    }
    timed_ = decision_.timed();
    if (timed_) begin_ = std::chrono::steady_clock::now();
  }

  // Enters by itself. Null where nothing has to be ended: `variant` runs, untimed.
  static PyObject* begin_unless_untimed(nb::handle operation, OperationState& state, const Site& site,
                                        std::optional<std::uintptr_t> stream, std::uint32_t& variant) {
    Decision decision;
    std::optional<GpuLaunch> gpu;
    const auto start = [&] {
      if (stream) {
        variant = GpuLaunch::begin(state.owner->timer(), site, *stream, gpu);
      } else {
        decision = site.select();
        variant = decision.variant();
      }
    };
    if (state.may_wait) {
      if (stream) state.owner->timer();  // is made under the GIL
      const nb::gil_scoped_release release;
      start();
    } else {
      start();
    }
    if (!gpu && !decision.timed()) return nullptr;
    nb::object object = nb::inst_alloc(nb::type<Launch>());
    auto* const launch = new (nb::inst_ptr<Launch>(object)) Launch(operation, state, Key(), &site, stream);
    nb::inst_mark_ready(object);
    launch->entered_ = true;
    launch->decision_ = gpu ? gpu->decision() : decision;
    launch->timed_ = gpu ? gpu->timed() : true;
    launch->captured_ = gpu && gpu->captured();
    if (launch->captured_) launch->pin_ = gpu->pin();
    launch->gpu_ = std::move(gpu);
    launch->begin_ = std::chrono::steady_clock::now();
    return object.release().ptr();
  }

  // An Exception says that the launch failed; what is none, such as KeyboardInterrupt, says nothing of it.
  void exit(nb::handle exception) noexcept {
    if (ended_ || !entered_) return;
    const auto now = std::chrono::steady_clock::now();
    ended_ = true;
    const bool raised = !exception.is_none();
    const bool failed = raised && PyObject_IsSubclass(exception.ptr(), PyExc_Exception) == 1;
    if (failed) return give_up();
    if (gpu_) return raised ? gpu_->cancel() : gpu_->end();
    if (timed_ && !raised) state_->operation->record(decision_, now - begin_);
  }

  void end() noexcept { exit(nb::none()); }

  void cancel() noexcept {
    if (ended_ || !entered_) return;
    ended_ = true;
    if (gpu_) gpu_->cancel();
  }

  void fail() {
    if (ended_ || !entered_) return;
    ended_ = true;
    give_up();
  }

  std::uint32_t variant() const {
    if (!entered_)
      raise_error("not_allowed_now", "the variant is known inside the `with` block",
                  state_->operation->name());
    return decision_.variant();
  }
  std::string name() const { return state_->operation->variant(variant()).name; }
  bool timed() const noexcept { return timed_; }
  bool captured() const noexcept { return captured_; }
  nb::object pin() const {
    if (!captured_) return nb::none();
    return nb::steal(make_pin(operation_.ptr(), pin_));
  }

 private:
  void begin(GpuTimer& timer) {
    if (site_)
      gpu_.emplace(timer, *site_, *stream_);
    else
      gpu_.emplace(timer, *state_->operation, key_, *stream_);
  }
  void give_up() noexcept {
    const nb::gil_scoped_release release;
    if (gpu_)
      gpu_->fail();
    else
      state_->operation->fail(decision_);
  }

  nb::object operation_;
  OperationState* state_;
  Key key_;
  std::optional<Site> site_;
  std::optional<std::uintptr_t> stream_;
  std::optional<GpuLaunch> gpu_;
  Decision decision_;
  Pin pin_;
  std::chrono::steady_clock::time_point begin_{};
  bool entered_ = false;
  bool ended_ = false;
  bool timed_ = false;
  bool captured_ = false;
};

PyObject* refuse_without_stream(const OperationState& state) noexcept {
  PyErr_Format(PyExc_TypeError,
               "%s runs on a GPU: launch needs the stream, such as stream=torch.cuda.current_stream()",
               state.operation->name().c_str());
  return nullptr;
}

}  // namespace

PyObject* make_launch(nb::handle operation, OperationState& state, const Key& key, const Site* site,
                      PyObject* stream) noexcept {
  return guarded([&]() -> PyObject* {
    const bool given = stream != nullptr && stream != Py_None;
    if (!given && state.owner->on_gpu()) return refuse_without_stream(state);
    std::optional<std::uintptr_t> handle;
    if (given) handle = handle_of(stream);
    nb::object launch = nb::inst_alloc(nb::type<Launch>());
    new (nb::inst_ptr<Launch>(launch)) Launch(operation, state, key, site, handle);
    nb::inst_mark_ready(launch);
    return launch.release().ptr();
  });
}

PyObject* begin_launch(nb::handle operation, OperationState& state, const Site& site,
                       PyObject* stream) noexcept {
  return guarded([&]() -> PyObject* {
    std::optional<std::uintptr_t> handle;
    if (stream != Py_None) handle = handle_of(stream);
    if (!handle && state.owner->on_gpu()) return refuse_without_stream(state);
    std::uint32_t variant = 0;
    PyObject* const launch = Launch::begin_unless_untimed(operation, state, site, handle, variant);
    return launch != nullptr ? launch : PyLong_FromLong(static_cast<long>(variant));
  });
}

void bind_launches(nb::module_& module) {
  nb::class_<Launch>(module, "Launch", nb::is_final(),
                     "One launch, made by Operation.launch or Site.launch. Entering its `with` block selects "
                     "the variant and "
                     "begins\nthe timing where it is wanted; leaving it ends the timing. Put exactly the "
                     "variant's work into the "
                     "block.\n\nWhere the block raises an Exception the variant is set aside for the key.")
      .def(
          "__enter__",
          [](nb::object self) {
            nb::cast<Launch&>(self).enter();
            return self;
          },
          nb::sig("def __enter__(self) -> Launch"))
      .def(
          "__exit__", [](Launch& self, nb::handle type, nb::handle, nb::handle) { self.exit(type); },
          nb::arg("type").none(), nb::arg("value").none(), nb::arg("traceback").none(),
          nb::sig("def __exit__(self, type: object, value: object, traceback: object) -> None"))
      .def("end", &Launch::end, "Ends the launch, as leaving the `with` block does. For Site.begin.")
      .def("cancel", &Launch::cancel,
           "Ends the launch without a latency, for a program that has not run the variant after all. The "
           "variant stays\nin use.")
      .def("fail", &Launch::fail,
           "The launch failed, without an exception: its variant is set aside for the key.")
      .def_prop_ro("variant", &Launch::variant, "Index of the variant to launch.")
      .def_prop_ro("name", &Launch::name, "Name of the variant to launch.")
      .def_prop_ro("timed", &Launch::timed, "Whether this launch is being timed.")
      .def_prop_ro("captured", &Launch::captured,
                   "Whether the stream is being captured: the variant is the incumbent then, untimed.")
      .def_prop_ro("pin", &Launch::pin, nb::sig("def pin(self) -> Pin | None"),
                   "Where `captured`: the pin of the key, which tells when to capture again.");
}

}  // namespace adaptive::python
