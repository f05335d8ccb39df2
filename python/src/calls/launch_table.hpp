// Finds what was prepared for a launch by the arguments of a kernel, as far as a compiler's specialisation
// can depend on them. One look-up replaces what a launcher of Python does again at each launch.
#pragma once

#include <Python.h>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <nanobind/nanobind.h>

namespace adaptive::python {

namespace nb = nanobind;

// What of an argument distinguishes launches: all of its value, or only what Triton specialises on.
enum class Counts : std::uint8_t { value, properties };

// The low byte of an argument's first word; what follows depends on it. No two arguments that Triton tells
// apart have the same words.
enum Tag : std::uint64_t {
  tag_none = 1,
  tag_truth,
  tag_integer,
  tag_properties,
  tag_real,
  tag_text,
  tag_object,
  tag_tensor
};

inline constexpr std::size_t words_max = 160;
inline constexpr std::size_t launch_parameters_max = 64;
inline constexpr std::size_t text_bytes_max = 64;
inline constexpr std::size_t tensor_types_max = 16;

// The words of one launch's arguments, on the stack.
struct LaunchWords {
  std::array<std::uint64_t, words_max> words;  // not initialised: only the first `count` are read
  std::size_t count = 0;
  std::array<PyObject*, 2 * launch_parameters_max>
      objects;  // whose addresses are among the words; borrowed or owned
  std::size_t object_count = 0;

  LaunchWords() noexcept {}
  void add(std::uint64_t word) noexcept { words[count++] = word; }
  // The caller may no longer own the object, but something else does: a type, or an attribute of an argument.
  void add_object(std::uint64_t tag, PyObject* object) noexcept {
    add(tag);
    add(std::bit_cast<std::uintptr_t>(object));
    objects[object_count++] = object;
  }
  std::span<const std::uint64_t> view() const noexcept { return {words.data(), count}; }
};

struct WordsHash {
  using is_transparent = void;
  std::size_t operator()(std::span<const std::uint64_t> words) const noexcept {
    std::uint64_t hash = words.size();
    for (const std::uint64_t word : words) {
      hash = (hash ^ word) * 0x9E37'79B9'7F4A'7C15U;
      hash ^= hash >> 29U;
    }
    return hash;
  }
  std::size_t operator()(const std::vector<std::uint64_t>& words) const noexcept {
    return (*this)(std::span<const std::uint64_t>(words));
  }
};

struct WordsEqual {
  using is_transparent = void;
  template <class A, class B>
  bool operator()(const A& a, const B& b) const noexcept {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(std::uint64_t)) == 0;
  }
};

class LaunchTable {
 public:
  static constexpr std::size_t parameters_max = launch_parameters_max;

  LaunchTable(const std::vector<std::string>& kinds, nb::tuple identity_types, std::size_t capacity)
      : capacity_(capacity) {
    if (kinds.size() > parameters_max) throw nb::value_error("a launch table has at most 64 parameters");
    for (const std::string& kind : kinds) {
      if (kind != "value" && kind != "properties") throw nb::value_error("a kind is 'value' or 'properties'");
      kinds_.push_back(kind == "value" ? Counts::value : Counts::properties);
    }
    for (const nb::handle type : identity_types) identity_types_.push_back(nb::borrow(type));
  }

  Py_ssize_t parameters() const noexcept { return static_cast<Py_ssize_t>(kinds_.size()); }

  // False where one of the arguments cannot be part of a key; no exception is set then.
  bool words_of(PyObject* const* arguments, LaunchWords& words) {
    for (std::size_t i = 0; i < kinds_.size(); ++i) {
      if (words.count + 2 + text_bytes_max / sizeof(std::uint64_t) > words_max) return false;
      if (!add(arguments[i], kinds_[i], words)) return false;
    }
    return true;
  }

  PyObject* find(const LaunchWords& words) const noexcept {
    const auto at = entries_.find(words.view());
    return at == entries_.end() ? nullptr : at->second.value.ptr();
  }

  void insert(const LaunchWords& words, nb::object value) {
    // Sizes that change in every call would fill it; what is in use comes back by itself.
    if (entries_.size() >= capacity_) clear();
    Entry entry{std::move(value), {}};
    for (std::size_t i = 0; i < words.object_count; ++i)
      entry.objects.push_back(nb::borrow(words.objects[i]));
    const auto view = words.view();
    entries_.insert_or_assign(std::vector<std::uint64_t>(view.begin(), view.end()), std::move(entry));
  }

  void clear() noexcept {
    // Destructors of values may run code that uses this table.
    Entries old;
    old.swap(entries_);
  }
  std::size_t size() const noexcept { return entries_.size(); }

  int traverse(visitproc visit, void* arg) const {  // the name that Py_VISIT uses
    for (const auto& entry : entries_) {
      Py_VISIT(entry.second.value.ptr());
      for (const nb::object& object : entry.second.objects) Py_VISIT(object.ptr());
    }
    return 0;
  }

 private:
  struct Entry {
    nb::object value;
    std::vector<nb::object> objects;  // kept alive, so that no other object gets their addresses
  };
  using Entries = std::unordered_map<std::vector<std::uint64_t>, Entry, WordsHash, WordsEqual>;

  bool add(PyObject* argument, Counts counts, LaunchWords& words) {
    PyTypeObject* const type = Py_TYPE(argument);
    if (type == &PyLong_Type) return add_integer(argument, counts, words);
    if (is_tensor(type)) return add_tensor(argument, counts, words);
    if (argument == Py_None) return words.add(tag_none), true;
    if (argument == Py_True || argument == Py_False)
      return words.add(tag_truth | (argument == Py_True ? 0x100U : 0U)), true;
    if (type == &PyFloat_Type) {
      words.add(tag_real);
      // By its bits: 0.0 and -0.0 are equal, but not the same constant.
      if (counts == Counts::value) words.add(std::bit_cast<std::uint64_t>(PyFloat_AsDouble(argument)));
      return true;
    }
    if (counts == Counts::value && type == &PyUnicode_Type) return add_text(argument, words);
    for (const nb::object& known : identity_types_)
      if (known.ptr() == reinterpret_cast<PyObject*>(type))
        return words.add_object(tag_object, argument), true;
    if (learn_tensor_type(argument)) return add_tensor(argument, counts, words);
    return false;
  }

  static bool add_integer(PyObject* argument, Counts counts, LaunchWords& words) noexcept {
    const long long value = PyLong_AsLongLong(argument);
    if (value == -1 && PyErr_Occurred() != nullptr) return PyErr_Clear(), false;
    if (counts == Counts::value) {
      words.add(tag_integer);
      words.add(static_cast<std::uint64_t>(value));
      return true;
    }
    constexpr long long least = std::numeric_limits<std::int32_t>::min();
    constexpr long long greatest = std::numeric_limits<std::int32_t>::max();
    words.add(tag_properties | (value == 1 ? 0x100U : 0U) | (value % 16 == 0 ? 0x200U : 0U) |
              (value >= least && value <= greatest ? 0x400U : 0U));
    return true;
  }

  static bool add_text(PyObject* argument, LaunchWords& words) noexcept {
    Py_ssize_t size = 0;
    const char* const text = PyUnicode_AsUTF8AndSize(argument, &size);
    if (text == nullptr) return PyErr_Clear(), false;
    if (static_cast<std::size_t>(size) > text_bytes_max) return false;
    words.add(tag_text | static_cast<std::uint64_t>(size) << 8U);
    for (Py_ssize_t at = 0; at < size; at += 8) {
      std::uint64_t word = 0;
      std::memcpy(&word, text + at, static_cast<std::size_t>(std::min<Py_ssize_t>(8, size - at)));
      words.add(word);
    }
    return true;
  }

  // A tensor of any framework: what Triton sees of it are its element type and whether its address is a
  // multiple of 16.
  bool add_tensor(PyObject* argument, Counts counts, LaunchWords& words) {
    if (counts == Counts::value) return false;
    PyObject* const address = PyObject_CallMethodObjArgs(argument, data_ptr_.ptr(), nullptr);
    if (address == nullptr) return PyErr_Clear(), false;
    const unsigned long long value = PyLong_Check(address) != 0 ? PyLong_AsUnsignedLongLongMask(address) : 0;
    const bool is_address = PyLong_Check(address) != 0;
    Py_DECREF(address);
    if (!is_address) return false;
    PyObject* const element = PyObject_GetAttr(argument, dtype_.ptr());
    if (element == nullptr) return PyErr_Clear(), false;
    words.add_object(tag_tensor | (value % 16 == 0 ? 0x100U : 0U), element);
    words.add(std::bit_cast<std::uintptr_t>(Py_TYPE(argument)));
    // The tensor keeps its element type alive for as long as the words are needed. One that makes a new
    // object for each question is not found again, and costs only time.
    const bool kept = Py_REFCNT(element) > 1;
    Py_DECREF(element);
    return kept;
  }

  bool is_tensor(PyTypeObject* type) const noexcept {
    for (const nb::object& known : tensor_types_)
      if (known.ptr() == reinterpret_cast<PyObject*>(type)) return true;
    return false;
  }

  bool learn_tensor_type(PyObject* argument) {
    if (tensor_types_.size() >= tensor_types_max) return false;
    if (PyObject_HasAttr(argument, data_ptr_.ptr()) == 0 || PyObject_HasAttr(argument, dtype_.ptr()) == 0)
      return false;
    tensor_types_.push_back(nb::borrow(reinterpret_cast<PyObject*>(Py_TYPE(argument))));
    return true;
  }

  std::size_t capacity_;
  std::vector<Counts> kinds_;
  std::vector<nb::object> identity_types_;
  std::vector<nb::object> tensor_types_;
  Entries entries_;
  nb::str data_ptr_{"data_ptr"};
  nb::str dtype_{"dtype"};
};

}  // namespace adaptive::python
