#include "errors.hpp"

#include <nanobind/stl/string.h>

#include "bindings.hpp"

namespace adaptive::python {
namespace {

// The package's own class, which is written in Python. Throws `nb::python_error`.
void set_exception(const char* code, const std::string& problem, const std::string& where,
                   const std::string& remedy) {
  const nb::object type = nb::module_::import_("adaptive_selector._errors").attr("Error");
  const nb::object raised = type(problem, where, remedy, code);
  PyErr_SetObject(type.ptr(), raised.ptr());
}

}  // namespace

void raise_error(const char* code, const std::string& problem, const std::string& where,
                 const std::string& remedy) {
  set_exception(code, problem, where, remedy);
  nb::raise_python_error();
}

void set_error(const Error& error) noexcept {
  try {
    set_exception(std::string(to_string(error.code())).c_str(), error.problem(), error.where(),
                  error.remedy());
  } catch (nb::python_error& failed) {
    failed.restore();
  } catch (const std::exception& failed) {
    PyErr_SetString(PyExc_RuntimeError, failed.what());
  }
}

namespace {

void translate(const std::exception_ptr& thrown, void*) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    set_error(error);
  }
}

}  // namespace

void bind_errors(nb::module_&) {
  nb::register_exception_translator(translate);
}

}  // namespace adaptive::python
