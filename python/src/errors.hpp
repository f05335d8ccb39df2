#pragma once

#include <adaptive/error.hpp>

namespace adaptive::python {

/// Sets the exception of Python that stands for an error of the library. The GIL is held.
void set_error(const Error& error) noexcept;

}  // namespace adaptive::python
