#include <nanobind/stl/map.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/metrics.hpp>

#include "bindings.hpp"
#include "selector_state.hpp"

namespace adaptive::python {
namespace {

// [(name, help, "counter" or "gauge", [({label: value}, number)])]
nb::list collect_metrics(const SelectorState& state, std::map<std::string, std::string> labels,
                         std::optional<std::uint64_t> stale_graphs) {
  metrics::Options options{.labels = std::move(labels)};
  if (stale_graphs) options.stale_graphs = [count = *stale_graphs] { return count; };
  std::vector<metrics::Family> families;
  {
    const nb::gil_scoped_release
        release;  // a launch of another thread may hold a key's lock and want the GIL
    families = metrics::collect(state.selector(), options);
  }
  nb::list all;
  for (const metrics::Family& family : families) {
    nb::list samples;
    for (const metrics::Sample& sample : family.samples) {
      nb::dict named;
      for (const auto& [name, value] : sample.labels) named[name.c_str()] = value;
      samples.append(nb::make_tuple(named, sample.value));
    }
    all.append(nb::make_tuple(family.name, family.help,
                              family.type == metrics::MetricType::counter ? "counter" : "gauge", samples));
  }
  return all;
}

}  // namespace

void bind_metrics(nb::module_& module) {
  module.def(
      "collect_metrics", &collect_metrics, nb::arg("selector"), nb::arg("labels"),
      nb::arg("stale_graphs").none() = nb::none(),
      nb::sig("def collect_metrics(selector: Selector, labels: dict[str, str], stale_graphs: int | None = "
              "None) -> list[tuple[str, str, str, list[tuple[dict[str, str], float]]]]"),
      "Name, help, type and samples of every metric.");
}

}  // namespace adaptive::python
