#include <nanobind/stl/chrono.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <adaptive/learning.hpp>
#include <adaptive/policy.hpp>

#include "bindings.hpp"
#include "memory_limit.hpp"
#include "names.hpp"

namespace adaptive::python {
namespace {

void bind_options(nb::module_& module) {
  const LearningOptions standard;
  nb::class_<LearningOptions>(
      module, "LearningOptions",
      "How sure a promotion has to be, and what exploration may cost. The defaults suit launches of 5 µs to "
      "50 ms.\n\n"
      "objective: 'automatic', 'mean' or 'robust': how far launches that take far longer than the rest "
      "count\n"
      "against a variant.\n"
      "indifference: two variants whose latencies differ by less than this share are a tie.\n"
      "error: probability that a key ever promotes a variant that is slower than the best by more than\n"
      "`indifference`.\n"
      "samples_min: a variant is neither promoted nor ruled out on fewer results.\n"
      "exploration_budget: largest share of a key's time that may be lost to slower variants; 1 sets no "
      "limit.\n"
      "revalidation_budget: share of a key's time for measuring idle variants again; 0 disables it.\n"
      "timing_cost: seconds that the timing of one launch adds to it; 0 is what a timer reports or, without "
      "one,\n"
      "what reading the host's clock costs.\n"
      "timing_budget: largest share of a key's time that may go into timing; 1 sets no limit.\n"
      "prediction: whether a key that no table knows may start from a model of the keys that are known.\n"
      "parameter_model: whether variants with similar parameters are expected to be about as fast.\n"
      "candidates_max: where tables or a model rank the variants, only this many are explored; 0 is all.\n"
      "memory_limit: a variant that needs more bytes for a key is not run; None is no limit.\n"
      "result_patience: a timed launch without a result is given up after this many later ones of its key.")
      .def(
          "__init__",
          [](LearningOptions* self, std::string_view objective, double indifference, double error,
             std::uint32_t samples_min, double exploration_budget, double revalidation_budget,
             double timing_cost, double timing_budget, bool prediction, bool parameter_model,
             std::size_t candidates_max, std::optional<std::uint64_t> memory_limit,
             std::uint32_t result_patience) {
            new (self)
                LearningOptions{.objective = value_of(objective_names, objective, "objective"),
                                .indifference = indifference,
                                .error = error,
                                .samples_min = samples_min,
                                .exploration_budget = exploration_budget,
                                .revalidation_budget = revalidation_budget,
                                .timing_cost = std::chrono::duration<double>(timing_cost),
                                .timing_budget = timing_budget,
                                .prediction = prediction,
                                .parameter_model = parameter_model,
                                .candidates_max = candidates_max,
                                .result_patience = result_patience,
                                .memory_limit = memory_limit.value_or(LearningOptions::no_memory_limit)};
          },
          nb::kw_only(), nb::arg("objective") = name_of(objective_names, standard.objective),
          nb::arg("indifference") = standard.indifference, nb::arg("error") = standard.error,
          nb::arg("samples_min") = standard.samples_min,
          nb::arg("exploration_budget") = standard.exploration_budget,
          nb::arg("revalidation_budget") = standard.revalidation_budget, nb::arg("timing_cost") = 0.0,
          nb::arg("timing_budget") = standard.timing_budget, nb::arg("prediction") = standard.prediction,
          nb::arg("parameter_model") = standard.parameter_model,
          nb::arg("candidates_max") = standard.candidates_max, nb::arg("memory_limit") = nb::none(),
          nb::arg("result_patience") = standard.result_patience)
      .def_prop_ro("objective",
                   [](const LearningOptions& o) { return name_of(objective_names, o.objective); })
      .def_ro("indifference", &LearningOptions::indifference)
      .def_ro("error", &LearningOptions::error)
      .def_ro("samples_min", &LearningOptions::samples_min)
      .def_ro("exploration_budget", &LearningOptions::exploration_budget)
      .def_ro("revalidation_budget", &LearningOptions::revalidation_budget)
      .def_prop_ro(
          "timing_cost",
          [](const LearningOptions& o) { return std::chrono::duration<double>(o.timing_cost).count(); })
      .def_ro("timing_budget", &LearningOptions::timing_budget)
      .def_ro("prediction", &LearningOptions::prediction)
      .def_ro("parameter_model", &LearningOptions::parameter_model)
      .def_ro("candidates_max", &LearningOptions::candidates_max)
      .def_prop_ro("memory_limit", [](const LearningOptions& o) { return known_limit(o.memory_limit); })
      .def_ro("result_patience", &LearningOptions::result_patience);
}

}  // namespace

void bind_learning(nb::module_& module) {
  bind_options(module);
  module.def(
      "policy_names",
      [] {
        std::vector<std::string> names;
        for (const std::string_view name : policy_names()) names.emplace_back(name);
        return names;
      },
      "The policies that a selector can be given by name, the default first.");
}

}  // namespace adaptive::python
