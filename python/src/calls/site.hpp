// A call site with a fixed key, as a plain type of Python's C API like a decision.
#pragma once

#include <Python.h>

#include <adaptive/operation.hpp>

namespace adaptive::python {

/// A new reference, or null with a Python exception set. `operation` is an Operation of Python.
PyObject* make_site(PyObject* operation, const Site& site) noexcept;

/// The site in a Site of Python; null, without an exception, where `object` is none.
const Site* site_of(PyObject* object, PyObject*& operation) noexcept;

}  // namespace adaptive::python
