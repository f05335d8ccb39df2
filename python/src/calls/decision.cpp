#include "calls/decision.hpp"

#include <structmember.h>

#include <array>
#include <cstddef>
#include <string>

#include "bindings.hpp"
#include "calls/fast_call.hpp"

namespace adaptive::python {
namespace {

PyTypeObject* decision_type = nullptr;
PyTypeObject* pin_type = nullptr;

// A decision lives about as long as its launch: a few spare blocks serve every loop, and save the allocator's
// work. The GIL guards them.
struct Spares {
  std::array<DecisionObject*, 8> blocks{};
  std::size_t count = 0;
};
constinit Spares spares;

template <class Object>
Object* object_as(PyObject* self) noexcept {
  return reinterpret_cast<Object*>(self);
}

const OperationState& owner_state(PyObject* operation) noexcept {
  return *nb::inst_ptr<OperationState>(operation);
}

// A new string, or null with an exception set.
PyObject* name_of_variant(PyObject* operation, std::uint32_t variant) noexcept {
  return guarded([&] {
    std::string name;
    {
      const nb::gil_scoped_release release;
      name = owner_state(operation).operation->variant(variant).name;
    }
    return PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size()));
  });
}

void free_decision(PyObject* self) noexcept {
  PyTypeObject* const type = Py_TYPE(self);
  auto* const decision = object_as<DecisionObject>(self);
  Py_XDECREF(decision->variant);
  Py_DECREF(decision->timed);
  Py_DECREF(decision->operation);
  if (spares.count < spares.blocks.size())
    spares.blocks[spares.count++] = decision;
  else
    PyObject_Free(self);
  Py_DECREF(type);
}

void free_pin(PyObject* self) noexcept {
  PyTypeObject* const type = Py_TYPE(self);
  auto* const pin = object_as<PinObject>(self);
  Py_XDECREF(pin->variant);
  Py_DECREF(pin->operation);
  PyObject_Free(self);
  Py_DECREF(type);
}

PyObject* decision_name(PyObject* self, void*) noexcept {
  const auto* const decision = object_as<DecisionObject>(self);
  return name_of_variant(decision->operation, decision->decision.variant());
}

PyObject* pin_name(PyObject* self, void*) noexcept {
  const auto* const pin = object_as<PinObject>(self);
  return name_of_variant(pin->operation, pin->pin.variant());
}

PyObject* pin_stale(PyObject* self, void*) noexcept {
  return PyBool_FromLong(object_as<PinObject>(self)->pin.stale() ? 1 : 0);
}

PyObject* represent(const char* what, PyObject* name, const char* end) noexcept {
  if (name == nullptr) return nullptr;
  PyObject* const text = PyUnicode_FromFormat("%s(%R%s)", what, name, end);
  Py_DECREF(name);
  return text;
}

PyObject* decision_repr(PyObject* self) noexcept {
  return represent("Decision", decision_name(self, nullptr),
                   object_as<DecisionObject>(self)->decision.timed() ? ", timed" : "");
}

PyObject* pin_repr(PyObject* self) noexcept {
  return represent("Pin", pin_name(self, nullptr), object_as<PinObject>(self)->pin.stale() ? ", stale" : "");
}

PyMemberDef decision_members[] = {
    {"variant", T_OBJECT_EX, offsetof(DecisionObject, variant), READONLY, "Index of the variant to launch."},
    {"timed", T_OBJECT_EX, offsetof(DecisionObject, timed), READONLY,
     "Whether the latency of this launch is wanted. Where it is not, the caller may skip the clock."},
    {nullptr, 0, 0, 0, nullptr}};
PyGetSetDef decision_properties[] = {
    {"name", decision_name, nullptr, "Name of the variant to launch.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyMemberDef pin_members[] = {
    {"variant", T_OBJECT_EX, offsetof(PinObject, variant), READONLY,
     "Index of the variant that the key ran, without exploration, when it was pinned."},
    {nullptr, 0, 0, 0, nullptr}};
PyGetSetDef pin_properties[] = {
    {"name", pin_name, nullptr, "Name of the variant.", nullptr},
    {"stale", pin_stale, nullptr,
     "Whether the key has another incumbent by now: prepare the work again with a new pin.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

template <class F>
PyType_Slot slot(int id, F* function) noexcept {
  return {id, reinterpret_cast<void*>(function)};
}

// A final type without a constructor: only the library makes objects of it.
PyTypeObject* make_type(nb::module_& module, const char* name, std::size_t size, PyType_Slot* slots) {
  const std::string full = std::string("adaptive_selector._core.") + name;
  PyType_Spec spec{full.c_str(), static_cast<int>(size), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  PyObject* const type = PyType_FromSpec(&spec);
  if (type == nullptr) nb::raise_python_error();
  module.attr(name) = nb::borrow(type);
  return reinterpret_cast<PyTypeObject*>(type);  // kept for ever, as the module is
}

}  // namespace

PyObject* make_decision(PyObject* operation, Decision decision) noexcept {
  DecisionObject* object = nullptr;
  if (spares.count > 0) [[likely]] {
    object = spares.blocks[--spares.count];
    PyObject_Init(reinterpret_cast<PyObject*>(object), decision_type);
  } else {
    object = PyObject_New(DecisionObject, decision_type);
    if (object == nullptr) return nullptr;
  }
  object->variant = PyLong_FromLong(static_cast<long>(decision.variant()));
  object->timed = decision.timed() ? Py_True : Py_False;
  Py_INCREF(object->timed);
  object->operation = operation;
  Py_INCREF(operation);
  object->decision = decision;
  return reinterpret_cast<PyObject*>(object);
}

PyObject* make_pin(PyObject* operation, const Pin& pin) noexcept {
  auto* const object = PyObject_New(PinObject, pin_type);
  if (object == nullptr) return nullptr;
  object->variant = PyLong_FromLong(static_cast<long>(pin.variant()));
  object->operation = operation;
  Py_INCREF(operation);
  object->pin = pin;
  return reinterpret_cast<PyObject*>(object);
}

const Decision* decision_of(const OperationState& state, PyObject* object, Decision& storage) noexcept {
  PyObject* operation = nullptr;
  const Decision* decision = nullptr;
  if (Py_TYPE(object) == decision_type) {
    operation = object_as<DecisionObject>(object)->operation;
    decision = &object_as<DecisionObject>(object)->decision;
  } else if (Py_TYPE(object) == pin_type) {
    operation = object_as<PinObject>(object)->operation;
    storage = object_as<PinObject>(object)->pin.decision();
    decision = &storage;
  } else {
    PyErr_Format(PyExc_TypeError, "a Decision is wanted, not %R", object);
    return nullptr;
  }
  if (owner_state(operation).operation != state.operation) {
    PyErr_Format(PyExc_ValueError, "the decision is of operation %s, not of %s",
                 owner_state(operation).operation->name().c_str(), state.operation->name().c_str());
    return nullptr;
  }
  return decision;
}

void bind_decisions(nb::module_& module) {
  static PyType_Slot decision_slots[] = {
      slot(Py_tp_dealloc, free_decision),
      slot(Py_tp_repr, decision_repr),
      {Py_tp_members, decision_members},
      {Py_tp_getset, decision_properties},
      {Py_tp_doc, const_cast<char*>("What one launch runs. Keep it until the latency is known, or drop it.")},
      {0, nullptr}};
  static PyType_Slot pin_slots[] = {
      slot(Py_tp_dealloc, free_pin),
      slot(Py_tp_repr, pin_repr),
      {Py_tp_members, pin_members},
      {Py_tp_getset, pin_properties},
      {Py_tp_doc,
       const_cast<char*>("What a key ran without exploration at one moment: its incumbent. For work "
                         "that is prepared once and repeated, such as a captured graph.")},
      {0, nullptr}};
  decision_type = make_type(module, "Decision", sizeof(DecisionObject), decision_slots);
  pin_type = make_type(module, "Pin", sizeof(PinObject), pin_slots);
}

}  // namespace adaptive::python
