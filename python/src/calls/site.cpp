#include "calls/site.hpp"

#include <structmember.h>

#include <new>

#include "bindings.hpp"
#include "calls/decision.hpp"
#include "calls/fast_call.hpp"
#include "calls/launch.hpp"

namespace adaptive::python {
namespace {

struct SiteObject {
  PyObject_HEAD PyObject* operation;
  Site site;
};

PyTypeObject* site_type = nullptr;

SiteObject& site_object(PyObject* self) noexcept {
  return *reinterpret_cast<SiteObject*>(self);
}

void free_site(PyObject* self) noexcept {
  PyTypeObject* const type = Py_TYPE(self);
  Py_DECREF(site_object(self).operation);
  PyObject_Free(self);
  Py_DECREF(type);
}

PyObject* select_site(PyObject* self, PyObject*) noexcept {
  return make_decision(site_object(self).operation, site_object(self).site.select());
}

PyObject* variant(PyObject* self, PyObject*) noexcept {
  return PyLong_FromLong(static_cast<long>(site_object(self).site.pin().variant()));
}

PyObject* pin_site(PyObject* self, PyObject*) noexcept {
  return make_pin(site_object(self).operation, site_object(self).site.pin());
}

PyObject* launch_site(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                      PyObject* names) noexcept {
  if (count != 0 || (names != nullptr && !is_keyword(names, "stream"))) {
    PyErr_SetString(PyExc_TypeError, "launch(*, stream) takes nothing else");
    return nullptr;
  }
  PyObject* const operation = site_object(self).operation;
  return make_launch(operation, *nb::inst_ptr<OperationState>(operation), Key(), &site_object(self).site,
                     names == nullptr ? nullptr : arguments[0]);
}

PyObject* begin(PyObject* self, PyObject* stream) noexcept {
  PyObject* const operation = site_object(self).operation;
  return begin_launch(operation, *nb::inst_ptr<OperationState>(operation), site_object(self).site, stream);
}

PyMethodDef site_methods[] = {
    fast_method(
        "select", PyCFunction{select_site},
        "select($self, /)\n--\n\nWhich variant the next launch runs, as Operation.select for the site's "
        "key."),
    fast_method(
        "variant", PyCFunction{variant},
        "variant($self, /)\n--\n\n"
        "Index of the variant that the key runs without exploration, as `pin().variant` at this moment.\n"
        "For call sites that time nothing: nothing is learned from them."),
    fast_method("pin", PyCFunction{pin_site}, "pin($self, /)\n--\n\nAs Operation.pin for the site's key."),
    fast_method("launch", FastKeywordsFunction{launch_site},
                "launch($self, /, *, stream=None)\n--\n\nAs Operation.launch for the site's key."),
    {"begin", begin, METH_O,
     "begin($self, stream, /)\n--\n\n"
     "Begins a launch without a `with` block, for launchers that count every microsecond.\n\n"
     "Returns the index of the variant where the launch is untimed and not captured: nothing has to be\n"
     "ended then. Else a Launch that has been entered: run its variant and call its `end`, `cancel` or\n"
     "`fail`."},
    {nullptr, nullptr, 0, nullptr}};

PyMemberDef members[] = {{"operation", T_OBJECT_EX, offsetof(SiteObject, operation), READONLY,
                          "The operation that it belongs to."},
                         {nullptr, 0, 0, 0, nullptr}};

}  // namespace

PyObject* make_site(PyObject* operation, const Site& site) noexcept {
  auto* const object = PyObject_New(SiteObject, site_type);
  if (object == nullptr) return nullptr;
  object->operation = operation;
  Py_INCREF(operation);
  new (&object->site) Site(site);
  return reinterpret_cast<PyObject*>(object);
}

const Site* site_of(PyObject* object, PyObject*& operation) noexcept {
  if (Py_TYPE(object) != site_type) return nullptr;
  operation = site_object(object).operation;
  return &site_object(object).site;
}

void bind_sites(nb::module_& module) {
  static PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void*>(free_site)},
      {Py_tp_methods, site_methods},
      {Py_tp_members, members},
      {Py_tp_doc, const_cast<char*>("A call site with a fixed key: the look-up is done "
                                    "once. Made by Operation.site.")},
      {0, nullptr}};
  PyType_Spec spec{"adaptive_selector._core.Site", sizeof(SiteObject), 0,
                   Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE, slots};
  PyObject* const type = PyType_FromSpec(&spec);
  if (type == nullptr) nb::raise_python_error();
  module.attr("Site") = nb::borrow(type);
  site_type = reinterpret_cast<PyTypeObject*>(type);  // kept for ever, as the module is
}

}  // namespace adaptive::python
