// The methods of an operation that run in every launch.
#pragma once

#include <Python.h>

namespace adaptive::python {

/// The method table for the class Operation.
PyMethodDef* operation_calls() noexcept;

}  // namespace adaptive::python
