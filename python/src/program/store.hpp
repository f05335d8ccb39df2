#pragma once

#include <memory>

#include <nanobind/nanobind.h>

#include <adaptive/store.hpp>
#include "program/callable.hpp"

namespace adaptive::python {

/// A store of the library, or one around an object of Python; null for None. The GIL is held.
std::shared_ptr<Store> store_of(nb::object object);

}  // namespace adaptive::python
