#include "calls/launch_table.hpp"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.hpp"
#include "calls/fast_call.hpp"

namespace adaptive::python {
namespace {

LaunchTable& table_of(PyObject* self) noexcept {
  return *nb::inst_ptr<LaunchTable>(self);
}

bool has_arguments(const LaunchTable& table, Py_ssize_t count) noexcept {
  if (count == table.parameters()) [[likely]]
    return true;
  PyErr_Format(PyExc_TypeError, "the table has %zd parameters, not %zd", table.parameters(), count);
  return false;
}

PyObject* find_launch(PyObject* self, PyObject* const* arguments, Py_ssize_t count) noexcept {
  return guarded([&]() -> PyObject* {
    LaunchTable& table = table_of(self);
    if (!has_arguments(table, count)) return nullptr;
    LaunchWords words;
    PyObject* found = table.words_of(arguments, words) ? table.find(words) : nullptr;
    if (found == nullptr) found = Py_None;
    Py_INCREF(found);
    return found;
  });
}

PyMethodDef table_methods[] = {
    fast_method(
        "find", FastFunction{find_launch},
        "find($self, /, *arguments)\n--\n\n"
        "What was inserted for arguments that Triton does not tell apart from these; None where there\n"
        "is nothing."),
    {nullptr, nullptr, 0, nullptr}};

int traverse_table(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  return nb::inst_ready(self) ? table_of(self).traverse(visit, arg) : 0;
}

int clear_table(PyObject* self) {
  if (nb::inst_ready(self)) table_of(self).clear();
  return 0;
}

}  // namespace

void bind_launch_tables(nb::module_& module) {
  static PyType_Slot slots[] = {{Py_tp_methods, table_methods},
                                {Py_tp_traverse, reinterpret_cast<void*>(traverse_table)},
                                {Py_tp_clear, reinterpret_cast<void*>(clear_table)},
                                {0, nullptr}};
  nb::class_<LaunchTable>(module, "LaunchTable", nb::type_slots(slots), nb::is_final(),
                          "Objects by the arguments of a kernel, as far as Triton distinguishes launches for "
                          "NVIDIA GPUs by them:\ninteger 1, multiples of 16, 32 and 64 bits, element types, "
                          "aligned addresses, constants.")
      .def(nb::init<const std::vector<std::string>&, nb::tuple, std::size_t>(), nb::arg("kinds"),
           nb::kw_only(), nb::arg("identity_types") = nb::make_tuple(), nb::arg("capacity") = 65'536,
           nb::sig(
               "def __init__(self, kinds: Sequence[str], *, identity_types: tuple[type, ...] = (), capacity: "
               "int = 65536) -> None"),
           "kinds: for each parameter 'properties', what a specialisation of a run-time argument depends on, "
           "or "
           "'value',\nall of it, for constants and arguments that the choice depends on.\n"
           "identity_types: types of which every object is a constant of its own.\n"
           "capacity: where there are as many entries, all are dropped.\n\n"
           "Raises ValueError for an unknown kind and for more than 64 parameters.")
      .def(
          "insert",
          [](LaunchTable& table, nb::object value, nb::args arguments) {
            std::vector<PyObject*> objects;
            for (const nb::handle argument : arguments) objects.push_back(argument.ptr());
            if (!has_arguments(table, static_cast<Py_ssize_t>(objects.size()))) nb::raise_python_error();
            LaunchWords words;
            if (!table.words_of(objects.data(), words)) return false;
            table.insert(words, std::move(value));
            return true;
          },
          nb::arg("value"), nb::arg("arguments"),
          nb::sig("def insert(self, value: object, *arguments: object) -> bool"),
          "Keeps `value` for these arguments and those like them. False where one of them cannot be part of "
          "a "
          "key,\nsuch as a tuple.")
      .def("clear", &LaunchTable::clear, "Drops every entry.")
      .def("__len__", &LaunchTable::size);
}

}  // namespace adaptive::python
