#pragma once

#include <string>

#include <adaptive/error.hpp>

namespace adaptive::python {

/// Raises the package's Error by itself, for what goes wrong in the bindings. `code` is one of the library's
/// names, such as "not_found". The GIL is held.
[[noreturn]] void raise_error(const char* code, const std::string& problem, const std::string& where,
                              const std::string& remedy = {});

/// Sets the exception of Python that stands for an error of the library. The GIL is held.
void set_error(const Error& error) noexcept;

}  // namespace adaptive::python
