// The launch of a Triton kernel whose arguments are known, in one call of Python. The generated Python
// function of triton/_fast.py takes the same steps; it remains for kernels and settings that this one leaves
// alone.
#include <Python.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "bindings.hpp"
#include "calls/fast_call.hpp"
#include "calls/launch_table.hpp"

namespace adaptive::python {
namespace {

// Of a value of the table, and of its entries: triton/_learner.py and triton/_entry.py.
enum Entry : Py_ssize_t {
  entry_launch,
  entry_function,
  entry_cooperative,
  entry_dependent,
  entry_packed,
  entry_hook,
  entry_kernel,
  entry_values
};

// Arguments of a compiled launch before those of the kernel.
constexpr Py_ssize_t launch_head = 13;

/// An attribute that has to equal a value; otherwise the generated function launches.
struct Watched {
  nb::object object;
  nb::object name;
  nb::object value;
};

class Launcher {
 public:
  Launcher(const std::vector<std::string>& names, const std::vector<std::size_t>& given, nb::tuple defaults,
           nb::tuple watched, nb::object device, nb::object stream, nb::list latest, nb::object resume,
           nb::object otherwise)
      : given_(given),
        device_(std::move(device)),
        stream_(std::move(stream)),
        latest_(std::move(latest)),
        resume_(std::move(resume)),
        otherwise_(std::move(otherwise)) {
    if (names.size() > LaunchTable::parameters_max || nb::len(defaults) != given.size())
      throw nb::value_error("a launcher has at most 64 parameters, and a default for each that is given");
    is_given_.assign(names.size(), false);
    for (const std::size_t at : given) is_given_.at(at) = true;
    for (const std::string& name : names) {
      nb::object text = nb::steal(PyUnicode_InternFromString(name.c_str()));
      if (!text.is_valid() || PyDict_SetItem(meta_.ptr(), text.ptr(), Py_None) != 0) nb::raise_python_error();
      names_.push_back(std::move(text));
    }
    // An empty tuple stands for a parameter without a default; no kernel's parameter has one as its default.
    for (const nb::handle value : defaults) {
      const bool none = nb::isinstance<nb::tuple>(value) && nb::len(value) == 0;
      defaults_.push_back(none ? nb::object() : nb::borrow(value));
    }
    for (const nb::handle one : watched) watched_.push_back({one[0], one[1], one[2]});
  }

  void add(long device, nb::object table) {
    nb::cast<LaunchTable&>(table);  // raises for anything else
    tables_.emplace_back(device, std::move(table));
  }

  PyObject* launch(PyObject* const* arguments, Py_ssize_t count, PyObject* names) {
    Values values{};
    nb::object device;
    PyObject* const bound = count < 1 ? nullptr : find(arguments + 1, count - 1, names, values, device);
    if (bound == nullptr) return PyErr_Occurred() != nullptr ? nullptr : pass_on(arguments, count, names);
    const nb::object kept = nb::borrow(bound);  // the table may be cleared meanwhile
    return run(kept, arguments[0], values, device);
  }

  int traverse(visitproc visit, void* arg) const {  // the name that Py_VISIT uses
    for (const nb::object* object : {&device_, &stream_, &resume_, &otherwise_}) Py_VISIT(object->ptr());
    Py_VISIT(latest_.ptr());
    for (const nb::object& object : defaults_) Py_VISIT(object.ptr());
    for (const auto& table : tables_) Py_VISIT(table.second.ptr());
    for (const Watched& w : watched_) {
      Py_VISIT(w.object.ptr());
      Py_VISIT(w.value.ptr());
    }
    return 0;
  }
  void clear() noexcept {
    tables_.clear();  // nothing is found any more
    for (nb::object* object : {&resume_, &otherwise_}) *object = nb::none();
    watched_.clear();
  }

 private:
  // By the positions of the kernel's parameters; borrowed. Null where the configuration has the value.
  using Values = std::array<PyObject*, LaunchTable::parameters_max>;

  // What the table of the current device has for the arguments, borrowed. Null where the generated function
  // or Triton has to launch, or with an exception.
  PyObject* find(PyObject* const* arguments, Py_ssize_t count, PyObject* names, Values& values,
                 nb::object& device) {
    if (!place(arguments, count, names, values) || !unchanged()) return nullptr;
    device = nb::steal(PyObject_CallFunctionObjArgs(device_.ptr(), nullptr));
    if (!device.is_valid()) return nullptr;
    LaunchTable* const table = table_of(PyLong_AsLong(device.ptr()));
    if (table == nullptr) return nullptr;
    std::array<PyObject*, LaunchTable::parameters_max> given{};
    for (std::size_t i = 0; i < given_.size(); ++i) given[i] = values[given_[i]];
    LaunchWords words;
    return table->words_of(given.data(), words) ? table->find(words) : nullptr;
  }

  // False for arguments that are not the kernel's, or that a configuration decides: Triton says what is
  // wrong.
  bool place(PyObject* const* arguments, Py_ssize_t count, PyObject* names, Values& values) const noexcept {
    if (count > static_cast<Py_ssize_t>(names_.size())) return false;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
      if (!is_given_[i]) return false;
      values[i] = arguments[i];
    }
    const Py_ssize_t named = names == nullptr ? 0 : PyTuple_Size(names);
    std::size_t hint = static_cast<std::size_t>(count);
    for (Py_ssize_t i = 0; i < named; ++i) {
      const std::size_t at = position_of(PyTuple_GetItem(names, i), hint);
      if (at == names_.size() || !is_given_[at] || values[at] != nullptr) return false;
      values[at] = arguments[count + i];
      hint = at + 1;
    }
    for (std::size_t i = 0; i < given_.size(); ++i) {
      PyObject*& value = values[given_[i]];
      if (value == nullptr) value = defaults_[i].ptr();
      if (value == nullptr) return false;
    }
    return true;
  }

  // Names of keywords in a program's text are interned, as ours are, and mostly in the order of the
  // parameters.
  std::size_t position_of(PyObject* name, std::size_t hint) const noexcept {
    for (std::size_t i = 0; i < names_.size(); ++i) {
      const std::size_t at = (hint + i) % names_.size();
      if (names_[at].ptr() == name) return at;
    }
    return names_.size();
  }

  bool unchanged() const noexcept {
    for (const Watched& watched : watched_) {
      PyObject* const value = PyObject_GetAttr(watched.object.ptr(), watched.name.ptr());
      if (value == nullptr) return false;
      const int same =
          value == watched.value.ptr() ? 1 : PyObject_RichCompareBool(value, watched.value.ptr(), Py_EQ);
      Py_DECREF(value);
      if (same != 1) return false;
    }
    return true;
  }

  LaunchTable* table_of(long device) const noexcept {
    for (const auto& [ordinal, table] : tables_)
      if (ordinal == device) return nb::inst_ptr<LaunchTable>(table);
    return nullptr;
  }

  PyObject* pass_on(PyObject* const* arguments, Py_ssize_t count, PyObject* names) const {
    const nb::object positional = nb::steal(PyTuple_New(count));
    if (!positional.is_valid()) return nullptr;
    for (Py_ssize_t i = 0; i < count; ++i) put(positional, i, arguments[i]);
    nb::object named;
    for (Py_ssize_t i = 0; names != nullptr && i < PyTuple_Size(names); ++i) {
      if (i == 0) named = nb::dict();
      if (PyDict_SetItem(named.ptr(), PyTuple_GetItem(names, i), arguments[count + i]) != 0) return nullptr;
    }
    return PyObject_Call(otherwise_.ptr(), positional.ptr(), named.ptr());
  }

  PyObject* run(const nb::object& bound, PyObject* grid, Values& values, const nb::object& device) {
    Py_INCREF(bound.ptr());
    if (PyList_SetItem(latest_.ptr(), 0, bound.ptr()) != 0) return nullptr;
    const nb::object stream = nb::steal(PyObject_CallFunctionObjArgs(stream_.ptr(), device.ptr(), nullptr));
    if (!stream.is_valid()) return nullptr;
    const nb::object begin = bound.attr(begin_name_);
    const nb::object started = nb::steal(PyObject_CallFunctionObjArgs(begin.ptr(), stream.ptr(), nullptr));
    if (!started.is_valid()) return nullptr;
    const bool timed = PyLong_CheckExact(started.ptr()) == 0;
    const nb::object index = timed ? nb::object(started.attr("variant")) : started;
    const nb::object entries = bound.attr(entries_name_);
    const nb::object entry = nb::borrow(PyList_GetItem(entries.ptr(), PyLong_AsSsize_t(index.ptr())));
    if (entry.is_none()) return resume(bound, started, grid, values);
    bool begun = false;
    PyObject* const launched = enqueue(entry, grid, values, stream, begun);
    if (!timed) return launched;
    if (launched != nullptr) {
      started.attr("end")();
      return launched;
    }
    nb::python_error error;  // takes the exception, so that the launch can be told
    const bool failed = begun && PyObject_IsSubclass(error.type().ptr(), PyExc_Exception) == 1;
    started.attr(failed ? "fail" : "cancel")();
    error.restore();
    return nullptr;
  }

  // The chosen configuration is not compiled in this specialisation.
  PyObject* resume(const nb::object& bound, const nb::object& started, PyObject* grid,
                   const Values& values) const {
    const nb::dict given;
    for (const std::size_t at : given_)
      if (PyDict_SetItem(given.ptr(), names_[at].ptr(), values[at]) != 0) return nullptr;
    return PyObject_CallFunctionObjArgs(resume_.ptr(), bound.ptr(), started.ptr(), grid, given.ptr(),
                                        nullptr);
  }

  // Enqueues the kernel. `begun` where its launcher has been called.
  PyObject* enqueue(const nb::object& entry, PyObject* grid, Values& values, const nb::object& stream,
                    bool& begun) {
    const auto field = [&](Py_ssize_t at) { return PyTuple_GetItem(entry.ptr(), at); };
    Py_ssize_t tuned = entry_values;
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (!is_given_[i]) values[i] = field(tuned++);
    nb::object size = nb::borrow(grid);
    if (PyCallable_Check(grid) != 0) {
      const nb::object meta = nb::steal(PyDict_Copy(meta_.ptr()));  // has room for all
      if (!meta.is_valid()) return nullptr;
      for (std::size_t i = 0; i < names_.size(); ++i)
        if (PyDict_SetItem(meta.ptr(), names_[i].ptr(), values[i]) != 0) return nullptr;
      size = nb::steal(PyObject_CallFunctionObjArgs(grid, meta.ptr(), nullptr));
      if (!size.is_valid()) return nullptr;
    }
    const nb::object all = nb::steal(PyTuple_New(launch_head + static_cast<Py_ssize_t>(names_.size())));
    if (!all.is_valid() || !put_size(all, size)) return nullptr;
    put(all, 3, stream.ptr());
    put(all, 4, field(entry_function));
    put(all, 5, field(entry_cooperative));
    put(all, 6, field(entry_dependent));
    put(all, 7, Py_None);  // scratch memory: none
    put(all, 8, Py_None);
    put(all, 9, field(entry_packed));
    put(all, 10, Py_None);  // hooks of launches: none
    put(all, 11, Py_None);
    put(all, 12, Py_None);
    for (std::size_t i = 0; i < names_.size(); ++i)
      put(all, launch_head + static_cast<Py_ssize_t>(i), values[i]);
    begun = true;
    const nb::object nothing = nb::steal(PyObject_Call(field(entry_launch), all.ptr(), nullptr));
    if (!nothing.is_valid()) return nullptr;
    return nb::borrow(field(entry_kernel)).release().ptr();
  }

  // One to three numbers of blocks.
  bool put_size(const nb::object& all, const nb::object& size) const {
    const Py_ssize_t count = PySequence_Size(size.ptr());
    if (count < 0) return false;
    for (Py_ssize_t i = 0; i < 3; ++i) {
      if (i > 0 && i >= count) {
        put(all, i, one_.ptr());
        continue;
      }
      const nb::object blocks = nb::steal(PySequence_GetItem(size.ptr(), i));
      if (!blocks.is_valid()) return false;
      put(all, i, blocks.ptr());
    }
    return true;
  }

  static void put(const nb::object& tuple, Py_ssize_t at, PyObject* value) noexcept {
    Py_INCREF(value);
    PyTuple_SetItem(tuple.ptr(), at, value);
  }

  std::vector<nb::object> names_;
  std::vector<bool> is_given_;
  std::vector<std::size_t> given_;  // the positions of the parameters that the program gives
  std::vector<nb::object> defaults_;
  std::vector<Watched> watched_;
  std::vector<std::pair<long, nb::object>> tables_;
  nb::object device_;
  nb::object stream_;
  nb::list latest_;
  nb::object resume_;
  nb::object otherwise_;
  nb::dict meta_;  // all names, without values
  nb::int_ one_{1};
  nb::str begin_name_{"begin"};
  nb::str entries_name_{"entries"};
};

PyObject* launch_kernel(PyObject* self, PyObject* const* arguments, Py_ssize_t count,
                        PyObject* names) noexcept {
  return guarded([&] { return nb::inst_ptr<Launcher>(self)->launch(arguments, count, names); });
}

PyMethodDef launcher_methods[] = {fast_method("launch", FastKeywordsFunction{launch_kernel},
                                              "launch($self, grid, /, *args, **kwargs)\n--\n\n"
                                              "Launches, or passes the arguments on to `otherwise`."),
                                  {nullptr, nullptr, 0, nullptr}};

int traverse_launcher(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  return nb::inst_ready(self) ? nb::inst_ptr<Launcher>(self)->traverse(visit, arg) : 0;
}

int clear_launcher(PyObject* self) {
  if (nb::inst_ready(self)) nb::inst_ptr<Launcher>(self)->clear();
  return 0;
}

}  // namespace

void bind_launchers(nb::module_& module) {
  static PyType_Slot slots[] = {{Py_tp_methods, launcher_methods},
                                {Py_tp_traverse, reinterpret_cast<void*>(traverse_launcher)},
                                {Py_tp_clear, reinterpret_cast<void*>(clear_launcher)},
                                {0, nullptr}};
  nb::class_<Launcher>(module, "Launcher", nb::type_slots(slots), nb::is_final(),
                       "The launches of one kernel. Made by adaptive_selector.triton.")
      .def(nb::init<const std::vector<std::string>&, const std::vector<std::size_t>&, nb::tuple, nb::tuple,
                    nb::object, nb::object, nb::list, nb::object, nb::object>(),
           nb::arg("names"), nb::arg("given"), nb::arg("defaults"), nb::arg("watched"), nb::arg("device"),
           nb::arg("stream"), nb::arg("latest"), nb::arg("resume"), nb::arg("otherwise"),
           nb::sig(
               "def __init__(self, names: Sequence[str], given: Sequence[int], defaults: tuple[object, ...], "
               "watched: tuple[tuple[object, str, object], ...], device: Callable[[], int], stream: "
               "Callable[[int], int], latest: list[object], resume: Callable[..., object], otherwise: "
               "Callable[..., object]) -> None"),
           "names: of the kernel's parameters. given: the positions of those that the program gives; the "
           "others are "
           "those\nof the configurations.\n"
           "defaults: of what is given; an empty tuple where there is none.\n"
           "watched: attributes and the values that they have to have.\n"
           "device, stream: say where a launch goes.\n"
           "latest: its only element becomes what the table has for the latest launch.\n"
           "resume: launches where the chosen configuration is not ready. otherwise: launches what is not "
           "known.\n\n"
           "Raises ValueError for more than 64 parameters.")
      .def("add", &Launcher::add, nb::arg("device"), nb::arg("table"),
           nb::sig("def add(self, device: int, table: LaunchTable) -> None"), "The table of a device.");
}

}  // namespace adaptive::python
