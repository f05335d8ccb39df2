#include "key_values.hpp"

#include <algorithm>
#include <string>

namespace adaptive::python {
namespace {

// The index of a label; false with a KeyError that lists the labels.
bool index_of_label(const Dimension& dimension, PyObject* object, std::int64_t& index) noexcept {
  Py_ssize_t size = 0;
  const char* const text = PyUnicode_AsUTF8AndSize(object, &size);
  if (text == nullptr) return false;
  const std::string_view wanted(text, static_cast<std::size_t>(size));
  const auto at = std::find(dimension.labels.begin(), dimension.labels.end(), wanted);
  if (at != dimension.labels.end()) {
    index = at - dimension.labels.begin();
    return true;
  }
  std::string known;
  for (const std::string& label : dimension.labels) known += (known.empty() ? "" : ", ") + label;
  PyErr_Format(PyExc_KeyError, "%s has no label %R; it has %s", dimension.name.c_str(), object,
               known.c_str());
  return false;
}

bool mask_of_labels(const Dimension& dimension, PyObject* labels, std::int64_t& mask) noexcept {
  PyObject* const iterator = PyObject_GetIter(labels);
  if (iterator == nullptr) return false;
  mask = 0;
  while (PyObject* const label = PyIter_Next(iterator)) {
    std::int64_t index = 0;
    const bool known = PyUnicode_Check(label) != 0 && index_of_label(dimension, label, index);
    if (PyUnicode_Check(label) == 0)
      PyErr_Format(PyExc_TypeError, "%s is a set of labels, strings; %R is none", dimension.name.c_str(),
                   label);
    Py_DECREF(label);
    if (!known) break;
    mask |= std::int64_t{1} << index;
  }
  Py_DECREF(iterator);
  return PyErr_Occurred() == nullptr;
}

}  // namespace

bool value_of_object(const OperationState& state, std::size_t dimension, PyObject* object,
                     std::int64_t& value) noexcept {
  const Dimension& declared = state.operation->dimensions()[dimension];
  if (declared.kind == DimensionKind::label && PyUnicode_Check(object) != 0)
    return index_of_label(declared, object, value);
  if (PyIndex_Check(object) != 0) {
    PyObject* const index = PyNumber_Index(object);
    if (index == nullptr) return false;
    value = PyLong_AsLongLong(index);
    Py_DECREF(index);
    return value != -1 || PyErr_Occurred() == nullptr;
  }
  if (declared.kind == DimensionKind::label_set && PyUnicode_Check(object) == 0) {
    if (mask_of_labels(declared, object, value)) return true;
    if (PyErr_ExceptionMatches(PyExc_TypeError) == 0) return false;
    PyErr_Clear();
  }
  const char* const wanted = declared.kind == DimensionKind::label ? "an integer or a label"
                             : declared.kind == DimensionKind::label_set
                                 ? "an integer or a collection of labels"
                                 : "an integer";
  PyErr_Format(PyExc_TypeError, "%s: %s is %s, not %R", state.operation->name().c_str(),
               declared.name.c_str(), wanted, object);
  return false;
}

void refuse_count(const OperationState& state, Py_ssize_t count) noexcept {
  std::string names;
  for (const Dimension& dimension : state.operation->dimensions())
    names += (names.empty() ? "" : ", ") + dimension.name;
  PyErr_Format(PyExc_TypeError, "a key of %s has %zu values (%s), not %zd", state.operation->name().c_str(),
               state.dimensions, names.c_str(), count);
}

nb::tuple values_of(const OperationState& state, const Key& key) {
  nb::list values;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const Dimension& dimension = state.operation->dimensions()[i];
    const std::int64_t value = key[i];
    if (dimension.kind == DimensionKind::label && value >= 0 &&
        static_cast<std::size_t>(value) < dimension.labels.size()) {
      values.append(nb::str(dimension.labels[static_cast<std::size_t>(value)].c_str()));
    } else if (dimension.kind == DimensionKind::label_set) {
      nb::list names;
      for (std::size_t bit = 0; bit < dimension.labels.size(); ++bit)
        if ((static_cast<std::uint64_t>(value) >> bit & 1U) != 0)
          names.append(nb::str(dimension.labels[bit].c_str()));
      values.append(nb::tuple(names));
    } else {
      values.append(value);
    }
  }
  return nb::tuple(values);
}

}  // namespace adaptive::python
