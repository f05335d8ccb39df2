// Decisions and pins: small objects that are made in every launch, so they are plain types of Python's C API
// instead of classes of nanobind, which registers each instance in a table.
#pragma once

#include <Python.h>

#include <adaptive/decision.hpp>
#include "selector_state.hpp"

namespace adaptive::python {

struct DecisionObject {
  PyObject_HEAD PyObject* variant;  // an int; read without a call by Python's interpreter
  PyObject* timed;                  // a bool, likewise
  PyObject* operation;              // keeps what `decision` refers to alive
  Decision decision;
};

struct PinObject {
  PyObject_HEAD PyObject* variant;
  PyObject* operation;
  Pin pin;
};

/// A new reference, or null with a Python exception set. `operation` is an Operation of Python.
PyObject* make_decision(PyObject* operation, Decision decision) noexcept;
PyObject* make_pin(PyObject* operation, const Pin& pin) noexcept;

/// The decision in a Decision or a Pin of this operation; null with a TypeError or ValueError set otherwise.
/// A pin's is kept in `storage`.
const Decision* decision_of(const OperationState& state, PyObject* object, Decision& storage) noexcept;

}  // namespace adaptive::python
