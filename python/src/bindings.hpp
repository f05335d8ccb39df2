// The parts of the extension module `_core`, one file each. Every file binds one idea; module.cpp calls them
// in an order in which each class is known before a signature names it.
#pragma once

#include <nanobind/nanobind.h>

namespace adaptive::python {

namespace nb = nanobind;

void bind_errors(nb::module_& module);
void bind_log(nb::module_& module);
void bind_devices(nb::module_& module);
void bind_learning(nb::module_& module);
void bind_specification(nb::module_& module);
void bind_decisions(nb::module_& module);
void bind_explanations(nb::module_& module);
void bind_counters(nb::module_& module);
void bind_sites(nb::module_& module);
void bind_launches(nb::module_& module);
void bind_launch_tables(nb::module_& module);
void bind_launchers(nb::module_& module);
void bind_operations(nb::module_& module);
void bind_selectors(nb::module_& module);
void bind_stores(nb::module_& module);
void bind_rank_epochs(nb::module_& module);
void bind_savers(nb::module_& module);
void bind_metrics(nb::module_& module);
void bind_foreign(nb::module_& module);
/// Only where the package is built with the library of replays, which comes with the tool.
void bind_replay(nb::module_& module);

}  // namespace adaptive::python
