// One launch as a `with` block.
#pragma once

#include <nanobind/nanobind.h>

#include <adaptive/key.hpp>
#include "selector_state.hpp"

namespace adaptive::python {

namespace nb = nanobind;

/// A Launch of Python for a key or, where `site` is not null, a call site. `stream` is what the program gave,
/// or null. A new reference, or null with a Python exception set.
PyObject* make_launch(nb::handle operation, OperationState& state, const Key& key, const Site* site,
                      PyObject* stream) noexcept;

/// Begins a launch of `site` at once: a new reference to the variant, an int, where nothing has to be ended,
/// else to a Launch, to be ended. Null with a Python exception set.
PyObject* begin_launch(nb::handle operation, OperationState& state, const Site& site,
                       PyObject* stream) noexcept;

}  // namespace adaptive::python
