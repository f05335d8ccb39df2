// What a program says of an operation once: dimensions and variants, and the functions that belong to them.
#pragma once

#include <string>

#include <nanobind/nanobind.h>

#include <adaptive/operation.hpp>
#include "program/callable.hpp"

namespace adaptive::python {

/// A variant as Python has it: its function stays a Python object until an operation takes the variant.
struct PythonVariant {
  Variant variant;
  nb::object supports;  // None: it runs every key
  nb::object memory;    // bytes: an int, or a function of the key's values; None: it needs none
};

/// What Selector.define was given, in the library's terms. The functions are registered with `callables`.
/// Throws `nb::type_error` and `nb::value_error` with the name of what is wrong.
OperationSpec specification_of(std::string name, nb::iterable dimensions, nb::iterable variants,
                               nb::object candidates, nb::object parse, nb::object default_variant,
                               Callables& callables);

/// A name, a mapping of the fields of `Variant`, or a `Variant`.
Variant variant_of(nb::handle value, Callables& callables);

}  // namespace adaptive::python
