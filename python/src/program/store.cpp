#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include <adaptive/store.hpp>

#include "bindings.hpp"
#include "program/store.hpp"

namespace adaptive::python {
namespace {

// A store that the program has written in Python. A saver's thread calls it, so each call takes the GIL; what
// it raises is an exception of C++ for the saver, which reports it and tries again later.
class PythonStore final : public Store {
 public:
  explicit PythonStore(nb::object object) : object_(std::make_shared<Held>(std::move(object))) {}

  const Records& read(const std::string& group) override {
    read_ = call([&](nb::handle store) { return nb::cast<Records>(store.attr("read")(group)); });
    return read_;
  }
  void write(const std::string& group, const std::string& writer, const Records& records) override {
    call([&](nb::handle store) {
      store.attr("write")(group, writer, records);
      return 0;
    });
  }
  std::string name() const override {
    return call([](nb::handle store) { return nb::cast<std::string>(nb::str(store)); });
  }

 private:
  template <class F>
  auto call(F&& body) const -> decltype(body(nb::handle())) {
    std::string problem;
    {
      const nb::gil_scoped_acquire gil;
      if (!gil.is_valid()) throw std::runtime_error("Python is shutting down");
      try {
        return body(object_->get());
      } catch (const std::exception& error) {
        problem = error.what();  // the Python error itself must not leave the GIL's scope
      }
    }
    throw std::runtime_error(problem);
  }

  std::shared_ptr<Held> object_;
  Records read_;  // what `read` returned last
};

}  // namespace

std::shared_ptr<Store> store_of(nb::object object) {
  if (object.is_none()) return nullptr;
  std::shared_ptr<Store> store;
  if (nb::try_cast(object, store)) return store;
  return std::make_shared<PythonStore>(std::move(object));
}

void bind_stores(nb::module_& module) {
  nb::class_<Store>(
      module, "Store",
      "Where processes leave for each other what they have measured. Any object with\n"
      "`read(group) -> dict[str, str]` and `write(group, writer, records)` can be used instead.")
      .def(
          "read",
          [](Store& store, const std::string& group) {
            const nb::gil_scoped_release release;
            return Store::Records(store.read(group));
          },
          nb::arg("group"), "Every record of a group, of all writers.")
      .def("write", &Store::write, nb::arg("group"), nb::arg("writer"), nb::arg("records"),
           nb::call_guard<nb::gil_scoped_release>(),
           "Adds records of a writer, or replaces those of the same name.")
      .def_prop_ro("name", &Store::name);
  module.def(
      "file_store",
      [](std::filesystem::path folder, double unused, std::size_t writers) {
        return file_store(std::move(folder), {.unused = std::chrono::duration_cast<std::chrono::seconds>(
                                                  std::chrono::duration<double>(unused)),
                                              .writers = writers});
      },
      nb::arg("folder"), nb::kw_only(), nb::arg("unused") = 2'592'000.0, nb::arg("writers") = 1024,
      nb::sig("def file_store(folder: str | os.PathLike[str], *, unused: float = 2592000.0, writers: int = "
              "1024) -> "
              "Store"),
      "A store in a folder, which may be a shared one: FOLDER/GROUP/WRITER.json.\n\n"
      "unused: seconds after its last exchange at which a writer's records are removed; 0: never.\n"
      "writers: of more writers in a group, those whose last exchange is longest ago are removed.");
}

}  // namespace adaptive::python
