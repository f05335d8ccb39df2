#include "errors.hpp"

#include "bindings.hpp"

namespace adaptive::python {
void set_error(const Error& error) noexcept {
  try {
    // The package's own class, which is written in Python, with the fields of the C++ error.
    const nb::object type = nb::module_::import_("adaptive_selector._errors").attr("Error");
    const nb::object raised = type(error.problem().c_str(), nb::arg("where") = error.where().c_str(),
                                   nb::arg("remedy") = error.remedy().c_str());
    PyErr_SetObject(type.ptr(), raised.ptr());
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
