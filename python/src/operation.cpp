#include <nanobind/stl/chrono.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <optional>
#include <utility>

#include <adaptive/operation.hpp>

#include "bindings.hpp"
#include "calls/operation_calls.hpp"
#include "key_values.hpp"
#include "program/log.hpp"
#include "program/specification.hpp"
#include "selector_state.hpp"

namespace adaptive::python {
namespace {

// Runs one variant everywhere while a `with` block lasts.
class ForcedBlock {
 public:
  ForcedBlock(OperationState& state, nb::object operation, std::string variant)
      : operation_(std::move(operation)), state_(state), variant_(std::move(variant)) {}

  void enter() {
    const nb::gil_scoped_release release;
    forced_.emplace(state_.operation->force(variant_));
  }
  void exit() {
    const nb::gil_scoped_release release;
    forced_.reset();
  }

 private:
  nb::object operation_;
  OperationState& state_;
  std::string variant_;
  std::optional<Forced> forced_;
};

// There is no counterpart that clears: a cycle goes through a function that the selector calls, and is broken
// there, so that an operation never outlives its selector.
int traverse_operation(PyObject* self, visitproc visit, void* arg) {  // the name that Py_VISIT uses
  Py_VISIT(Py_TYPE(self));
  if (!nb::inst_ready(self)) return 0;
  Py_VISIT(nb::inst_ptr<OperationState>(self)->selector.ptr());
  return 0;
}

// Everything here may wait for a lock of the operation, so it lets go of the GIL first: whoever holds the
// lock may be calling a function of the program.
template <class F>
auto without_gil(F&& body) {
  const nb::gil_scoped_release release;
  return std::forward<F>(body)();
}

nb::object run(nb::object self, nb::callable call, nb::args key) {
  auto& state = nb::cast<OperationState&>(self);
  const Key values = key_of(state, key);
  const Decision decision = state.may_wait ? without_gil([&] { return state.operation->select(values); })
                                           : state.operation->select(values);
  const auto begin = std::chrono::steady_clock::now();
  try {
    nb::object result = call(decision.variant());
    if (decision.timed()) state.operation->record(decision, std::chrono::steady_clock::now() - begin);
    return result;
  } catch (nb::python_error& error) {
    // What is no Exception, such as KeyboardInterrupt, says nothing about the variant.
    if (error.matches(PyExc_Exception)) without_gil([&] { state.operation->fail(decision); });
    throw;
  }
}

void bind_learning_control(nb::class_<OperationState>& operation) {
  operation
      .def(
          "record_latency",
          [](const OperationState& state, nb::args key, std::uint32_t variant, double seconds) {
            const Key values = key_of(state, key);
            without_gil(
                [&] { state.operation->record(values, variant, std::chrono::duration<double>(seconds)); });
          },
          nb::arg("key"), nb::kw_only(), nb::arg("variant"), nb::arg("seconds"),
          nb::sig("def record_latency(self, *key: KeyValue, variant: int, seconds: float) -> None"),
          "A latency in seconds that was measured without a decision, for `key` and a variant's index.")
      .def(
          "run", [](nb::object self, nb::callable call, nb::args key) { return run(self, call, key); },
          nb::sig("def run(self, call: Callable[[int], _T], *key: KeyValue) -> _T"),
          "Calls `call(variant)` with the index of the variant for `key`, times it on the host's clock where "
          "that is\nwanted and records it. Returns what `call` returns. Where `call` raises an Exception the "
          "variant is set\naside for the key and the exception goes on. For work that is done when `call` "
          "returns.")
      .def(
          "force",
          [](nb::object self, std::string variant) {
            return new ForcedBlock(nb::cast<OperationState&>(self), self, std::move(variant));
          },
          nb::arg("variant"),
          "Runs one variant everywhere, untimed, while a `with` block lasts. Entering raises Error for an "
          "unknown "
          "name.")
      .def(
          "enable",
          [](const OperationState& state, const std::string& variant, bool enabled) {
            without_gil([&] { state.operation->enable(variant, enabled); });
          },
          nb::arg("variant"), nb::arg("enabled") = true,
          "Takes a variant out of use for every key (`enabled=False`), or back. The default cannot be "
          "disabled. "
          "Raises\nError for an unknown name.")
      .def(
          "add_variant",
          [](const OperationState& state, nb::object variant) {
            Variant made = variant_of(variant, state.owner->callables());
            return without_gil([&] { return state.operation->add_variant(std::move(made)); });
          },
          nb::arg("variant"), nb::sig("def add_variant(self, variant: VariantLike) -> int"),
          "Appends a variant while running; returns its index. Raises Error for a name in use.")
      .def(
          "reset",
          [](const OperationState& state, nb::args key) {
            if (nb::len(key) == 0) {
              without_gil([&] { state.operation->reset(); });
              return true;
            }
            const Key values = key_of(state, key);
            return without_gil([&] { return state.operation->reset(values); });
          },
          nb::sig("def reset(self, *key: KeyValue) -> bool"),
          "Forgets what this run has learned, of one key or, without one, of all; the tables stay. False "
          "where "
          "the key\nhas no state.");
}

void bind_inspection(nb::class_<OperationState>& operation) {
  operation
      .def(
          "explain",
          [](const OperationState& state, nb::args key) {
            const Key values = key_of(state, key);
            return without_gil([&] { return state.operation->explain(values); });
          },
          nb::sig("def explain(self, *key: KeyValue) -> Explanation"),
          "Why `key` runs what it runs. An unseen key is explained as it would start; its state is not made.")
      .def(
          "keys",
          [](const OperationState& state) {
            const std::vector<Key> keys = without_gil([&] { return state.operation->keys(); });
            nb::list list;
            for (const Key& key : keys) list.append(values_of(state, key));
            return list;
          },
          nb::sig("def keys(self) -> list[tuple[int | str | tuple[str, ...], ...]]"),
          "The keys that have been met, in the order in which they were first seen: sizes as integers, "
          "labels "
          "as\ntheir names, sets of labels as tuples of names. `explain` and the others take them back.")
      .def(
          "to_pandas",
          [](nb::object self) {
            return nb::module_::import_("adaptive_selector._frame").attr("of_operation")(self);
          },
          nb::sig("def to_pandas(self) -> typing.Any"),
          "What is known of every key, one row for each of its candidates. Columns: the dimensions, "
          "`variant`, "
          "the\nfields of Candidate (latencies in seconds), and whether the candidate is the incumbent "
          "and the leader. "
          "Raises "
          "ImportError\nwithout pandas.")
      .def_prop_ro("name", [](const OperationState& state) { return state.operation->name(); })
      .def_prop_ro("dimensions", [](const OperationState& state) { return state.operation->dimensions(); })
      .def_prop_ro(
          "variants",
          [](const OperationState& state) {
            return without_gil([&] {
              std::vector<std::string> names;
              const std::size_t count = state.operation->variant_count();
              for (std::uint32_t i = 0; i < count; ++i) names.push_back(state.operation->variant(i).name);
              return names;
            });
          },
          "Names of the variants; their indices are those of decisions.")
      .def_prop_ro(
          "selector", [](const OperationState& state) { return state.selector; },
          nb::sig("def selector(self) -> Selector"))
      .def_prop_ro(
          "counters",
          [](const OperationState& state) {
            return without_gil([&] { return state.operation->counters(); });
          },
          "What happened since the start, and everything that was dropped.")
      .def(
          "__eq__",
          [](const OperationState& state, nb::object other) {
            const OperationState* same = nullptr;
            return nb::try_cast(other, same) && same != nullptr && same->operation == state.operation;
          },
          nb::sig("def __eq__(self, other: object, /) -> bool"))
      .def("__hash__", [](const OperationState& state) { return std::hash<const void*>()(state.operation); })
      .def("__repr__", [](const OperationState& state) {
        return "Operation('" + state.operation->name() + "', " +
               std::to_string(state.operation->variant_count()) + " variants)";
      });
}

}  // namespace

nb::object operation_object(nb::handle selector, SelectorState& owner, Operation& operation) {
  const std::size_t dimensions = operation.dimensions().size();
  return nb::cast(
      OperationState{&operation, &owner, nb::borrow(selector), dimensions, owner.waits_for_new_keys()},
      nb::rv_policy::move);
}

void bind_operations(nb::module_& module) {
  nb::class_<ForcedBlock>(module, "Forced", "Made by Operation.force.")
      .def(
          "__enter__",
          [](nb::object self) {
            nb::cast<ForcedBlock&>(self).enter();
            return self;
          },
          nb::sig("def __enter__(self) -> Forced"))
      .def(
          "__exit__", [](ForcedBlock& self, nb::args) { self.exit(); },
          nb::sig("def __exit__(self, *exception: object) -> None"));

  static PyType_Slot slots[] = {{Py_tp_methods, operation_calls()},
                                {Py_tp_traverse, reinterpret_cast<void*>(traverse_operation)},
                                {0, nullptr}};
  nb::class_<OperationState> operation(
      module, "Operation", nb::type_slots(slots), nb::is_final(), nb::is_weak_referenceable(),
      "What is launched: a set of variants, and what is known of them by key. Made by Selector.define; any "
      "number of\nthreads may use it.");
  bind_learning_control(operation);
  bind_inspection(operation);
}

}  // namespace adaptive::python
