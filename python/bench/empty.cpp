// A function of nanobind that does nothing: what every call from Python into C++ costs at least.
#include <nanobind/nanobind.h>

NB_MODULE(_empty, module) {
  module.def("call", [] {});
}
