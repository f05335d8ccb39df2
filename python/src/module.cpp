#include <adaptive/version.hpp>

#include "bindings.hpp"

NB_MODULE(_core, module) {
  using namespace adaptive::python;
  module.doc() = "The compiled part of adaptive_selector. Import adaptive_selector instead.";
  module.attr("version") = adaptive::library_version;
  // What a program still holds when the interpreter ends, as the caches of torch.compile do, is no leak of
  // this package, and its user cannot change it.
  nanobind::set_leak_warnings(false);
  bind_errors(module);
  bind_log(module);
  bind_devices(module);
  bind_learning(module);
  bind_specification(module);
  bind_decisions(module);
  bind_explanations(module);
  bind_counters(module);
  bind_launches(module);
  bind_launch_tables(module);
  bind_launchers(module);
  bind_operations(module);
  bind_sites(module);
  bind_selectors(module);
  bind_stores(module);
  bind_savers(module);
  bind_rank_epochs(module);
  bind_metrics(module);
  bind_foreign(module);
#ifdef ADAPTIVE_PYTHON_REPLAY
  bind_replay(module);
#endif
}
