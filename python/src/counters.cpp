#include <array>
#include <string>
#include <utility>

#include <nanobind/stl/string.h>

#include <adaptive/counters.hpp>

#include "bindings.hpp"

namespace adaptive::python {
namespace {

struct Field {
  const char* name;
  std::uint64_t Counters::*value;
  const char* doc;
};

constexpr std::array fields{
    Field{"keys", &Counters::keys, "Keys with a state of their own."},
    Field{"keys_refused", &Counters::keys_refused, "Calls of keys beyond `max_keys`: served, never learned."},
    Field{"keys_passing", &Counters::keys_passing,
          "Calls of keys without a state that the model of all keys decided, and from which it learns."},
    Field{"wrong_arity", &Counters::wrong_arity, "Calls whose key has not the operation's number of values."},
    Field{"keys_invalid", &Counters::keys_invalid, "Calls whose key has a value that names no label."},
    Field{"unsupported", &Counters::unsupported, "Keys that no variant supports."},
    Field{"consulted", &Counters::consulted, "Calls that asked the policy."},
    Field{"contended", &Counters::contended, "Calls that found the key's lock taken and ran the leader."},
    Field{"timed", &Counters::timed, "Decisions that asked to be timed."},
    Field{"explored", &Counters::explored, "Decisions for another variant than the leader."},
    Field{"results", &Counters::results, "Latencies that entered the statistics."},
    Field{"results_invalid", &Counters::results_invalid,
          "Latencies that are not positive, or above 31 years."},
    Field{"results_duplicate", &Counters::results_duplicate, "Second results of one decision."},
    Field{"results_expired", &Counters::results_expired, "Results that came after they had been given up."},
    Field{"results_dropped", &Counters::results_dropped,
          "Latencies that had nowhere to go, such as those of keys without a state."},
    Field{"results_lost", &Counters::results_lost, "Results that were given up."},
    Field{"failures", &Counters::failures, "Launches that were reported as failed."},
    Field{"promotions", &Counters::promotions, "Incumbents replaced by a variant that is surely faster."},
    Field{"demotions", &Counters::demotions, "Incumbents replaced because they became slower."},
    Field{"exploration_refused", &Counters::exploration_refused, "Explorations beyond the budget."},
};

}  // namespace

void bind_counters(nb::module_& module) {
  nb::class_<Counters> counters(
      module, "Counters", "What happened in an operation since the start, and everything that was dropped.");
  for (const Field& field : fields)
    counters.def_prop_ro(
        field.name, [value = field.value](const Counters& self) { return self.*value; }, field.doc);
  counters
      .def(
          "as_dict",
          [](const Counters& self) {
            nb::dict dict;
            for (const Field& field : fields) dict[field.name] = self.*field.value;
            return dict;
          },
          nb::sig("def as_dict(self) -> dict[str, int]"), "All counters by name.")
      .def("__repr__", [](const Counters& self) {
        std::string text;
        for (const Field& field : fields)
          if (const std::uint64_t value = self.*field.value; value != 0)
            text += (text.empty() ? "" : ", ") + std::string(field.name) + "=" + std::to_string(value);
        return "Counters(" + text + ")";
      });
}

}  // namespace adaptive::python
