// Functions of the program, written in Python, that the C++ library calls.
#pragma once

#include <memory>
#include <vector>

#include <nanobind/nanobind.h>

namespace adaptive::python {

namespace nb = nanobind;

/// Holds a Python object for C++ code that may let go of it on any thread, with or without the GIL. Once the
/// interpreter is gone the object is left to the process.
class Held {
 public:
  explicit Held(nb::object object) noexcept : object_(object.release().ptr()) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ~Held();

  /// Null once `clear` was called. The GIL is held.
  nb::handle get() const noexcept { return object_; }
  /// For the garbage collector, which breaks cycles: the function is not called any more.
  void clear() noexcept;

 private:
  PyObject* object_;
};

/// The functions that a selector's operations call, so that the garbage collector can see through the C++
/// library: a function that refers to its selector would otherwise keep both alive for ever.
class Callables {
 public:
  std::shared_ptr<Held> add(nb::object function);
  int traverse(visitproc visit, void* argument) const noexcept;
  void clear() noexcept;

 private:
  std::vector<std::weak_ptr<Held>> all_;
};

/// Reports an exception that a function of the program raised where it cannot be passed on, as Python does
/// for an exception in a destructor: `sys.unraisablehook`.
void report_unraisable(nb::python_error& error, nb::handle function) noexcept;

}  // namespace adaptive::python
