// The key of a launch from positional arguments of Python.
#pragma once

#include <Python.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <adaptive/key.hpp>
#include "selector_state.hpp"

namespace adaptive::python {

/// A value that is no integer: a label, a collection of labels, or an object with `__index__`. False with a
/// Python exception set where it is none of these, or the dimension does not have the label.
bool value_of_object(const OperationState& state, std::size_t dimension, PyObject* object,
                     std::int64_t& value) noexcept;
/// Sets the TypeError that says which values the key has.
void refuse_count(const OperationState& state, Py_ssize_t count) noexcept;

/// One value of a key; false with a Python exception set where the object is none. Integers, which nearly
/// every key consists of, need no more than this.
inline bool value_of(const OperationState& state, std::size_t dimension, PyObject* object,
                     std::int64_t& value) noexcept {
  if (Py_TYPE(object) != &PyLong_Type) [[unlikely]]
    return value_of_object(state, dimension, object, value);
  value = PyLong_AsLongLong(object);
  return value != -1 || PyErr_Occurred() == nullptr;
}

/// Calls `use(key)` with the key of that number of values, which stays in registers because its size is a
/// constant. Null with a Python exception set where a value does not fit.
template <std::size_t... I, class F>
PyObject* with_key_of(std::index_sequence<I...>, const OperationState& state, PyObject* const* values,
                      F&& use) noexcept {
  std::array<std::int64_t, sizeof...(I)> v;
  if (!(value_of(state, I, values[I], v[I]) && ...)) [[unlikely]]
    return nullptr;
  return use(Key{v[I]...});
}

/// False with a Python exception set where the number of values or one of them does not fit.
inline bool key_of(const OperationState& state, PyObject* const* values, Py_ssize_t count,
                   Key& key) noexcept {
  if (static_cast<std::size_t>(count) != state.dimensions) [[unlikely]] {
    refuse_count(state, count);
    return false;
  }
  key = Key::of_size(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < key.size(); ++i)
    if (!value_of(state, i, values[i], key[i])) return false;
  return true;
}

/// Calls `use(key)`, which returns a new reference, with the key of the values.
template <class F>
PyObject* with_key(const OperationState& state, PyObject* const* values, Py_ssize_t count, F&& use) noexcept {
  if (static_cast<std::size_t>(count) == state.dimensions) [[likely]] {
    switch (count) {
      case 1:
        return with_key_of(std::make_index_sequence<1>(), state, values, use);
      case 2:
        return with_key_of(std::make_index_sequence<2>(), state, values, use);
      case 3:
        return with_key_of(std::make_index_sequence<3>(), state, values, use);
      case 4:
        return with_key_of(std::make_index_sequence<4>(), state, values, use);
      default:
        break;
    }
  }
  Key key;
  return key_of(state, values, count, key) ? use(key) : nullptr;
}

/// The same for functions that are not called in every launch; throws `nb::python_error`.
inline Key key_of(const OperationState& state, const nb::args& values) {
  std::array<PyObject*, Key::capacity> objects{};
  Py_ssize_t count = 0;
  for (const nb::handle value : values) {
    if (static_cast<std::size_t>(count) < objects.size())
      objects[static_cast<std::size_t>(count)] = value.ptr();
    ++count;
  }
  Key key;
  if (!key_of(state, objects.data(), count, key)) nb::raise_python_error();
  return key;
}

/// A key as Python has it: sizes as integers, labels as their names, sets of labels as tuples of names. A
/// value that names no label stays an integer. The GIL is held.
nb::tuple values_of(const OperationState& state, const Key& key);

}  // namespace adaptive::python
