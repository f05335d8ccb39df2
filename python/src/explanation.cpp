#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <adaptive/explanation.hpp>

#include "bindings.hpp"
#include "names.hpp"

namespace adaptive::python {
namespace {

std::string text_of(std::string_view view) {
  return std::string(view);
}

void bind_event(nb::module_& module) {
  nb::class_<Event>(module, "Event", "One change of a key's incumbent.")
      .def_prop_ro(
          "kind", [](const Event& e) { return name_of(event_names, e.kind); },
          "'promotion', 'demotion' or 'failure'.")
      .def_ro("from_variant", &Event::from)
      .def_ro("to_variant", &Event::to)
      .def_ro(
          "gain", &Event::gain,
          "Share of the old variant's latency that is saved, as estimated then; negative after a failure.")
      .def_ro("calls", &Event::calls, "Calls of the key until then.")
      .def_ro("epoch", &Event::epoch, "The selector's epoch after it.")
      .def("__repr__", [](const Event& e) {
        return std::string("Event('") + name_of(event_names, e.kind) + "', '" + e.from + "' -> '" + e.to +
               "')";
      });
}

void bind_candidate(nb::module_& module) {
  using Candidate = Explanation::Candidate;
  constexpr double ns = 1e-9;
  nb::class_<Candidate>(
      module, "Candidate",
      "What is known of one variant for one key. Latencies are in seconds, 0 where unknown.")
      .def_ro("name", &Candidate::name)
      .def_ro("available", &Candidate::available,
              "False: it failed for this key, or the program disabled it.")
      .def_ro("calls", &Candidate::calls, "Estimate of the calls that ran it and were not forced.")
      .def_ro("count", &Candidate::count, "Timed results in this run.")
      .def_ro("failures", &Candidate::failures)
      .def_ro("memory", &Candidate::memory, "Bytes that it needs for the key besides the operands.")
      .def_ro("pending", &Candidate::pending, "Timed launches whose result has not come yet.")
      .def_prop_ro("mean", [](const Candidate& c) { return c.mean_ns * ns; })
      .def_prop_ro("deviation", [](const Candidate& c) { return c.deviation_ns * ns; })
      .def_prop_ro(
          "location", [](const Candidate& c) { return c.location_ns * ns; }, "Robust against outliers.")
      .def_prop_ro(
          "lower", [](const Candidate& c) { return c.lower_ns * ns; }, "Confidence limit of `location`.")
      .def_prop_ro(
          "upper", [](const Candidate& c) { return c.upper_ns * ns; }, "Confidence limit of `location`.")
      .def_prop_ro(
          "recent_count", [](const Candidate& c) { return c.recent.count; },
          "Latest results behind `median`, `p95` and `p99`: at most 128; 0 where none are kept.")
      .def_prop_ro("median", [](const Candidate& c) { return c.recent.median_ns * ns; })
      .def_prop_ro("p95", [](const Candidate& c) { return c.recent.p95_ns * ns; })
      .def_prop_ro("p99", [](const Candidate& c) { return c.recent.p99_ns * ns; })
      .def_prop_ro(
          "seed", [](const Candidate& c) { return c.seed_ns * ns; }, "What tables or a prediction said.")
      .def_ro("seed_deviation", &Candidate::seed_deviation, "Deviation of the error of `seed`, as a share.")
      .def_ro("verdict", &Candidate::verdict, "What would have to happen for it to become the incumbent.")
      .def("__repr__", [](const Candidate& c) { return "Candidate('" + c.name + "')"; });
}

}  // namespace

void bind_explanations(nb::module_& module) {
  bind_event(module);
  bind_candidate(module);
  nb::class_<Explanation>(
      module, "Explanation",
      "Why a key runs the variant that it runs: a copy, safe to keep. Printed, it is for people.")
      .def_ro("operation", &Explanation::operation)
      .def_ro("key", &Explanation::key, "'tokens=17 out_features=4096 bits=2+4'.")
      .def_prop_ro("mode", [](const Explanation& e) { return name_of(mode_names, e.mode); })
      .def_prop_ro(
          "match", [](const Explanation& e) { return text_of(to_string(e.match.kind)); },
          "How the key got its starting point: 'exact', 'nearest', 'predicted' or 'default'.")
      .def_prop_ro(
          "distance", [](const Explanation& e) { return e.match.distance; },
          "To the key that was borrowed from, in doublings; 0 where exact.")
      .def_ro("source", &Explanation::source, "The matched key and the table that it came from.")
      .def_ro("running", &Explanation::running, "What a call gets now, unless it explores.")
      .def_ro("incumbent", &Explanation::incumbent, "What saved tables and mode 'frozen' use.")
      .def_ro("pinned", &Explanation::pinned, "What pins, and graphs captured with them, refer to.")
      .def_ro("leader", &Explanation::leader,
              "The fastest by what is known now; mode 'online' runs it between explorations.")
      .def_ro("settled", &Explanation::settled)
      .def_ro("calls", &Explanation::calls)
      .def_ro("explored_share", &Explanation::explored_share,
              "Share of the calls that ran another variant than the leader.")
      .def_ro("lost_share", &Explanation::lost_share, "Share of the time lost by them.")
      .def_ro("candidates", &Explanation::candidates)
      .def_ro("unsupported", &Explanation::unsupported, "Variants that cannot run this key.")
      .def_ro("other_class", &Explanation::other_class,
              "Variants of another numeric class, which are left alone.")
      .def_ro("history", &Explanation::history, "The latest 16 changes of the incumbent, oldest first.")
      .def_ro("reason", &Explanation::reason, "One sentence.")
      .def("text", &Explanation::text, "The explanation for people, several lines.")
      .def("__str__", &Explanation::text)
      .def("__repr__",
           [](const Explanation& e) {
             return "<Explanation of " + e.operation + " " + e.key + ": " + e.reason + ">";
           })
      .def(
          "_repr_html_",
          [](nb::object self) {
            return nb::cast<std::string>(
                nb::module_::import_("adaptive_selector._html").attr("explanation")(self));
          },
          "What notebooks show.");
}

}  // namespace adaptive::python
