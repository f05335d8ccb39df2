// Methods that run in every launch. They are functions of Python's own calling convention, which its
// interpreter calls without building a tuple or a dictionary of arguments.
#pragma once

#include <nanobind/nanobind.h>

#include <exception>
#include <new>
#include <utility>

#include "errors.hpp"

namespace adaptive::python {

namespace nb = nanobind;

using FastFunction = PyObject* (*)(PyObject* self, PyObject* const* arguments, Py_ssize_t count);
using FastKeywordsFunction = PyObject* (*)(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                                           PyObject* names);

/// One entry of a method table. `doc` begins with the signature that Python's `inspect` reads:
/// "name($self, /, *key)\n--\n\n".
inline PyMethodDef fast_method(const char* name, FastFunction function, const char* doc) noexcept {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)), METH_FASTCALL, doc};
}
inline PyMethodDef fast_method(const char* name, FastKeywordsFunction function, const char* doc) noexcept {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function)),
          METH_FASTCALL | METH_KEYWORDS, doc};
}
inline PyMethodDef fast_method(const char* name, PyCFunction function, const char* doc) noexcept {
  return {name, function, METH_NOARGS, doc};
}

/// Whether the only keyword of a call is `name`.
inline bool is_keyword(PyObject* names, const char* name) noexcept {
  return names != nullptr && PyTuple_Size(names) == 1 &&
         PyUnicode_CompareWithASCIIString(PyTuple_GetItem(names, 0), name) == 0;
}

/// Runs `body`, which returns a new reference or null with a Python exception set, and turns a C++ exception
/// into a Python one.
template <class F>
PyObject* guarded(F&& body) noexcept {
  try {
    return std::forward<F>(body)();
  } catch (const Error& error) {
    set_error(error);
    return nullptr;
  } catch (nb::python_error& error) {
    error.restore();
    return nullptr;
  } catch (const nb::builtin_exception& error) {
    PyErr_SetString(error.type() == nb::exception_type::type_error ? PyExc_TypeError : PyExc_RuntimeError,
                    error.what());
    return nullptr;
  } catch (const std::bad_alloc&) {
    return PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
    return nullptr;
  }
}

}  // namespace adaptive::python
