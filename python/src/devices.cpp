#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/map.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <adaptive/device.hpp>
#include <adaptive/tables.hpp>

#include "bindings.hpp"
#include "calls/gpu_timer.hpp"

namespace adaptive::python {
namespace {

std::string repr(const Fingerprint& device) {
  std::string text = "Fingerprint(device='" + device.device + "'";
  if (!device.driver.empty()) text += ", driver='" + device.driver + "'";
  if (!device.toolkit.empty()) text += ", toolkit='" + device.toolkit + "'";
  return text + ")";
}

}  // namespace

void bind_devices(nb::module_& module) {
  nb::class_<Fingerprint>(module, "Fingerprint",
                          "What a measured latency depends on besides the key. Empty fields are unknown and "
                          "match everything.")
      .def(
          "__init__",
          [](Fingerprint* self, std::string device, std::string driver, std::string toolkit,
             std::map<std::string, std::string> libraries) {
            new (self)
                Fingerprint{std::move(device), std::move(driver), std::move(toolkit), std::move(libraries)};
          },
          nb::arg("device") = "", nb::kw_only(), nb::arg("driver") = "", nb::arg("toolkit") = "",
          nb::arg("libraries") = std::map<std::string, std::string>())
      .def_ro("device", &Fingerprint::device, "As the vendor names it: 'NVIDIA H200'.")
      .def_ro("driver", &Fingerprint::driver, "Version of the driver: '580.159.04'.")
      .def_ro("toolkit", &Fingerprint::toolkit, "Version of the toolkit: '13.0'.")
      .def_ro("libraries", &Fingerprint::libraries,
              "Versions of what the variants come from: {'cublaslt': '13.1.0'}.")
      .def(
          "__eq__", [](const Fingerprint& a, const Fingerprint& b) { return a == b; }, nb::is_operator(),
          nb::sig("def __eq__(self, other: object, /) -> bool"))
      .def("__hash__",
           [](const Fingerprint& f) { return nb::hash(nb::make_tuple(f.device, f.driver, f.toolkit)); })
      .def("__repr__", &repr);

  module.def("host_device", &host_device,
             "The processor that this program runs on, with the instruction sets that decide which variants "
             "exist.");
  module.def(
      "gpu_count", &gpu_count,
      "The number of NVIDIA GPUs; 0 without a driver. Initialises the CUDA driver where a GPU is present, so "
      "that\nprocesses forked later cannot use CUDA.");
  module.def("why_no_gpu", &why_no_gpu, "Why `gpu_count` is 0; empty where it is not.");
  module.def(
      "gpu_device", [](int ordinal) { return gpu(ordinal); }, nb::arg("ordinal") = -1,
      "The GPU of that ordinal, as tables name it; -1 is the current device. Makes no context. Raises Error "
      "where "
      "there\nis none.");
  module.def("_process_runtime", &loaded_runtime,
             "The file of the CUDA runtime that this process has loaded; empty while there is none.");
  module.def("normalised_device", &normalised_device, nb::arg("name"),
             "The name of the folder of a device's tables: 'NVIDIA H200' gives 'nvidia_h200'.");
  module.def(
      "standard_tables",
      [] {
        TableSearch search = TableSearch::standard();
        search.places.insert(search.places.end(), search.defaults.begin(), search.defaults.end());
        return search.places;
      },
      "The places that tables='standard' searches: the folders of ADAPTIVE_TABLES, the user's own folder, "
      "the "
      "tables of\nthis package.");
}

}  // namespace adaptive::python
