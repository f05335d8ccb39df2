#include "calls/operation_calls.hpp"

#include <chrono>

#include "calls/decision.hpp"
#include "calls/fast_call.hpp"
#include "calls/launch.hpp"
#include "calls/site.hpp"
#include "key_values.hpp"

namespace adaptive::python {
namespace {

OperationState& state_of(PyObject* self) noexcept {
  return *nb::inst_ptr<OperationState>(self);
}

// A new key of such an operation waits for a lock under which another thread calls a function of the program.
[[gnu::noinline]] Decision select_and_wait(Operation& operation, const Key& key) noexcept {
  const nb::gil_scoped_release release;
  return operation.select(key);
}

// Inlined once for each number of values. Out of line, the key would be in memory and its size unknown: the
// hash and the comparison would cost twice as much.
struct Select {
  PyObject* self;
  const OperationState& state;

  [[gnu::always_inline]] PyObject* operator()(const Key& key) const noexcept {
    if (state.may_wait) [[unlikely]]
      return make_decision(self, select_and_wait(*state.operation, key));
    return make_decision(self, state.operation->select(key));
  }
};

PyObject* select(PyObject* self, PyObject* const* values, Py_ssize_t count) noexcept {
  const OperationState& state = state_of(self);
  return with_key(state, values, count, Select{self, state});
}

PyObject* select_known(PyObject* self, PyObject* const* values, Py_ssize_t count) noexcept {
  OperationState& state = state_of(self);
  Key key;
  if (!key_of(state, values, count, key)) return nullptr;
  std::optional<Decision> decision;
  {
    const nb::gil_scoped_release release;
    decision = state.operation->select_known(key);
  }
  if (decision) return make_decision(self, *decision);
  Py_INCREF(Py_None);
  return Py_None;
}

PyObject* pin(PyObject* self, PyObject* const* values, Py_ssize_t count) noexcept {
  OperationState& state = state_of(self);
  Key key;
  if (!key_of(state, values, count, key)) return nullptr;
  Pin pin;
  {
    const nb::gil_scoped_release release;
    pin = state.operation->pin(key);
  }
  return make_pin(self, pin);
}

PyObject* site(PyObject* self, PyObject* const* values, Py_ssize_t count) noexcept {
  return guarded([&]() -> PyObject* {
    OperationState& state = state_of(self);
    Key key;
    if (!key_of(state, values, count, key)) return nullptr;
    std::optional<Site> site;
    {
      const nb::gil_scoped_release release;
      site = state.operation->site(key);
    }
    return make_site(self, *site);
  });
}

PyObject* record(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) noexcept {
  OperationState& state = state_of(self);
  const bool keyword = count == 1 && is_keyword(names, "seconds");
  if (!keyword && (count != 2 || names != nullptr)) {
    PyErr_SetString(PyExc_TypeError, "record(decision, seconds) takes a decision and its latency in seconds");
    return nullptr;
  }
  Decision storage;
  const Decision* const decision = decision_of(state, arguments[0], storage);
  if (decision == nullptr) return nullptr;
  const double seconds = PyFloat_AsDouble(arguments[1]);
  if (seconds == -1.0 && PyErr_Occurred() != nullptr) return nullptr;
  state.operation->record(*decision, std::chrono::duration<double>(seconds));
  Py_INCREF(Py_None);
  return Py_None;
}

PyObject* launch(PyObject* self, PyObject* const* arguments, Py_ssize_t count, PyObject* names) noexcept {
  OperationState& state = state_of(self);
  if (names != nullptr && !is_keyword(names, "stream")) {
    PyErr_SetString(PyExc_TypeError, "launch(*key, stream) has no other keyword");
    return nullptr;
  }
  return with_key(state, arguments, count, [&](const Key& key) noexcept {
    return make_launch(self, state, key, nullptr, names == nullptr ? nullptr : arguments[count]);
  });
}

PyObject* fail(PyObject* self, PyObject* decision_object) noexcept {
  OperationState& state = state_of(self);
  Decision storage;
  const Decision* const decision = decision_of(state, decision_object, storage);
  if (decision == nullptr) return nullptr;
  {
    const nb::gil_scoped_release release;
    state.operation->fail(*decision);
  }
  Py_INCREF(Py_None);
  return Py_None;
}

PyMethodDef methods[] = {
    fast_method(
        "select", FastFunction{select},
        "select($self, /, *key)\n--\n\n"
        "Which variant the next launch of `key` runs: a Decision.\n\n"
        "key: the values of the dimensions in their order: integers, a label as its name, a set of labels\n"
        "as a collection of names.\n\n"
        "Never waits. On any trouble inside the library it is the default variant, counted. Raises\n"
        "TypeError for a wrong number or type of values, KeyError for an unknown label."),
    fast_method(
        "select_known", FastFunction{select_known},
        "select_known($self, /, *key)\n--\n\n"
        "As `select`, but None where neither a table nor this run knows anything of `key` or of a key\n"
        "near it."),
    fast_method(
        "record", FastKeywordsFunction{record},
        "record($self, /, decision, seconds)\n--\n\n"
        "The latency of a launch in seconds: late, out of order or never, from any thread.\n\n"
        "A second result of a timed decision is dropped and counted, as is one that is not finite and\n"
        "positive. Raises ValueError for a decision of another operation."),
    fast_method(
        "launch", FastKeywordsFunction{launch},
        "launch($self, /, *key, stream=None)\n--\n\n"
        "A launch as a `with` block, which selects, times and records.\n\n"
        "stream: the CUDA stream that the block enqueues the variant's work on: an integer, a stream of\n"
        "PyTorch, or an object with `__cuda_stream__`. The GPU times the launch; nothing synchronises, and\n"
        "the latency arrives later by itself. None: the work is done when the block ends, and the host's\n"
        "clock times it.\n\n"
        "Raises TypeError where the selector is for a GPU and no stream is given, Error where a stream is\n"
        "given and there is no GPU."),
    fast_method("pin", FastFunction{pin},
                "pin($self, /, *key)\n--\n\n"
                "What `key` runs without exploration: a Pin. For work that is prepared once and repeated."),
    fast_method(
        "site", FastFunction{site},
        "site($self, /, *key)\n--\n\n"
        "Binds a key for a call site that always has the same one: a Site, whose `select` takes less\n"
        "time."),
    {"fail", fail, METH_O,
     "fail($self, decision, /)\n--\n\n"
     "The launch failed: its variant is set aside for that key until `reset`."},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

PyMethodDef* operation_calls() noexcept {
  return methods;
}

}  // namespace adaptive::python
