// Policies that are written in Python, for replays: never on the path of a launch, where a policy runs under
// a lock and must not allocate.
#include <nanobind/stl/filesystem.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/string_view.h>
#include <nanobind/stl/vector.h>

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "bindings.hpp"
#include "errors.hpp"
#include "replay/policies.hpp"
#include "replay/replay.hpp"
#include "table/trace.hpp"

namespace adaptive::python {
namespace {

// The statistics of a key while a policy looks at them: void afterwards.
class PolicyKey {
 public:
  explicit PolicyKey(const KeyStatistics& key) noexcept : key_(&key) {}
  void close() noexcept { key_ = nullptr; }
  const KeyStatistics& key() const {
    if (key_ == nullptr)
      raise_error("not_allowed_now", "the statistics of a key are valid only inside the policy's method",
                  "policy", "copy the values that are needed later");
    return *key_;
  }
  const VariantStatistics& candidate(std::size_t number) const {
    if (number >= key().size()) throw nb::index_error("the key has no such candidate");
    return key()[number];
  }

 private:
  const KeyStatistics* key_;
};

class PolicyRandom {
 public:
  explicit PolicyRandom(Random& random) noexcept : random_(&random) {}
  void close() noexcept { random_ = nullptr; }
  Random& random() const {
    if (random_ == nullptr)
      raise_error("not_allowed_now", "the random numbers are valid only inside the policy's method",
                  "policy");
    return *random_;
  }

 private:
  Random* random_;
};

// The first exception of any policy of a replay. Afterwards the incumbent runs, until the replay is over.
class FirstError {
 public:
  // The GIL is held.
  void keep(nb::python_error& error) {
    if (error_ == nullptr) error_ = std::make_unique<nb::python_error>(std::move(error));
    raised_.store(true, std::memory_order_relaxed);
  }
  bool raised() const noexcept { return raised_.load(std::memory_order_relaxed); }
  // The GIL is held.
  void rethrow() {
    if (error_ == nullptr) return;
    const std::unique_ptr<nb::python_error> error = std::move(error_);
    throw nb::python_error(std::move(*error));
  }

 private:
  std::atomic<bool> raised_{false};
  std::unique_ptr<nb::python_error> error_;
};

class PythonPolicy final : public Policy {
 public:
  // The GIL is held.
  PythonPolicy(nb::object policy, std::shared_ptr<FirstError> error)
      : choose_(policy.attr("choose")), error_(std::move(error)) {
    if (nb::hasattr(policy, "observe")) observe_ = policy.attr("observe");
  }
  ~PythonPolicy() override {
    const nb::gil_scoped_acquire gil;
    choose_.reset();
    observe_.reset();
  }

  Choice choose(const KeyStatistics& key, Random& random) noexcept override {
    Choice choice{key.incumbent, false};
    call([&] {
      const Lent<PolicyKey> view(key);
      const Lent<PolicyRandom> numbers(random);
      choice = choice_of(choose_(view.object, numbers.object));
    });
    return choice;
  }

  void observe(KeyStatistics& key, const Sample& sample) noexcept override {
    if (!observe_.is_valid()) return;
    call([&] {
      const Lent<PolicyKey> view(key);
      observe_(view.object, sample.candidate, std::exp(sample.log_latency) * 1e-9);
    });
  }

 private:
  // An object of Python for something that lives only as long as the call.
  template <class T>
  struct Lent {
    template <class Argument>
    explicit Lent(Argument& argument) : object(nb::cast(T(argument), nb::rv_policy::move)) {}
    ~Lent() { nb::inst_ptr<T>(object)->close(); }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;
    nb::object object;
  };

  template <class F>
  void call(F&& body) noexcept {
    if (error_->raised()) return;
    const nb::gil_scoped_acquire gil;
    try {
      body();
    } catch (nb::python_error& error) {
      error_->keep(error);
    } catch (const std::exception& error) {
      PyErr_SetString(PyExc_TypeError, error.what());
      nb::python_error raised;
      error_->keep(raised);
    }
  }

  static Choice choice_of(const nb::object& answer) {
    if (nb::isinstance<nb::tuple>(answer)) {
      if (nb::len(answer) != 2) throw nb::type_error("a choice is a candidate, or (candidate, timed)");
      return {nb::cast<std::uint32_t>(answer[0]), nb::cast<bool>(answer[1])};
    }
    return {nb::cast<std::uint32_t>(answer), true};
  }

  nb::object choose_;
  nb::object observe_;
  std::shared_ptr<FirstError> error_;
};

double percent(double share) noexcept {
  return share * 100.0;
}

nb::dict figures_of(const replay::Summary& summary, double first_look, std::size_t calls) {
  nb::dict dict;
  dict["overhead_percent"] = percent(summary.overhead.back().mean());
  dict["overhead_percent_confidence"] = percent(summary.overhead.back().confidence());
  dict["first_look_floor_percent"] = percent(first_look / static_cast<double>(calls));
  dict["promotions"] = summary.promotions.mean();
  dict["wrong_promotions"] = summary.wrong;
  dict["timed_fraction"] = summary.timed.mean();
  dict["late_timed_fraction"] = summary.late_timed.mean();
  dict["kept_overhead_percent"] = percent(summary.kept_gap.mean());
  dict["promoted_keys"] = summary.promoted.mean();
  dict["confirmed_keys"] = summary.confirmed.mean();
  return dict;
}

nb::dict replay_trace(const std::filesystem::path& trace, nb::object policy, std::size_t calls,
                      std::size_t runs, std::uint64_t seed, std::string_view order, std::string_view truth,
                      bool alone) {
  if (order != "random" && order != "recorded") throw nb::value_error("order is 'random' or 'recorded'");
  if (truth != "mean" && truth != "trimmed") throw nb::value_error("truth is 'mean' or 'trimmed'");
  if (calls == 0 || runs == 0) throw nb::value_error("calls and runs are at least 1");
  const auto error = std::make_shared<FirstError>();
  replay::ReplayOptions options;
  options.run.calls = calls;
  options.run.checkpoints = {calls};
  options.run.judge_table = true;
  options.runs = runs;
  options.seed = seed;
  options.order = order == "random" ? replay::Recorded::Order::random : replay::Recorded::Order::recorded;
  options.truth = truth == "mean" ? replay::Recorded::Truth::mean : replay::Recorded::Truth::trimmed;
  options.alone = alone;
  if (nb::isinstance<nb::str>(policy)) {
    options.run.policy = replay::make_policy(nb::cast<std::string_view>(policy));
  } else {
    if (PyCallable_Check(policy.ptr()) == 0)
      throw nb::type_error("policy is a name, or a class or function that makes the policy of a key");
    // The factory is copied and destroyed without the GIL; `policy` outlives it.
    options.run.policy = [make = policy.ptr(), error]() -> std::unique_ptr<Policy> {
      const nb::gil_scoped_acquire gil;
      try {
        return std::make_unique<PythonPolicy>(nb::object(nb::handle(make)()), error);
      } catch (nb::python_error& raised) {
        error->keep(raised);
      }
      return replay::make_policy("fixed")();
    };
  }
  replay::ReplayResult result = [&] {
    const nb::gil_scoped_release release;
    return replay::replay(table::read_trace(trace).keys, options);
  }();
  error->rethrow();
  nb::dict dict = figures_of(result.total, result.first_look, calls);
  dict["kept_worst_percent"] = percent(result.kept_worst);
  nb::dict keys;
  for (const replay::KeyResult& key : result.keys)
    keys[key.name.c_str()] = figures_of(key.summary, key.first_look, calls);
  dict["keys"] = keys;
  return dict;
}

}  // namespace

void bind_replay(nb::module_& module) {
  constexpr double ns = 1e-9;
  nb::class_<VariantStatistics>(
      module, "PolicyCandidate",
      "What a policy sees of a candidate. Latencies are in seconds, 0 where unknown.")
      .def_ro("variant", &VariantStatistics::variant, "Index in the operation.")
      .def_ro("count", &VariantStatistics::count, "Results since the latest restart.")
      .def_ro("pending", &VariantStatistics::pending, "Timed launches whose result has not come yet.")
      .def_ro("failures", &VariantStatistics::failures)
      .def_ro("available", &VariantStatistics::available, "False: it must not be chosen.")
      .def_prop_ro(
          "location",
          [](const VariantStatistics& s) { return s.count == 0 ? 0.0 : std::exp(s.location) * ns; },
          "Robust against outliers.")
      .def_prop_ro("mean", [](const VariantStatistics& s) { return s.mean_ns * ns; })
      .def_prop_ro(
          "variance", [](const VariantStatistics& s) { return s.variance_ns() * ns * ns; },
          "Sample variance in square seconds; 0 for fewer than two results.")
      .def_prop_ro(
          "minimum",
          [](const VariantStatistics& s) { return std::isfinite(s.minimum_ns) ? s.minimum_ns * ns : 0.0; })
      .def_prop_ro(
          "prior", [](const VariantStatistics& s) { return s.has_prior() ? std::exp(s.prior) * ns : 0.0; },
          "What tables or a prediction say.");
  nb::class_<PolicyKey>(module, "PolicyKey", "What a policy sees of a key, as long as its method runs.")
      .def("__len__", [](const PolicyKey& key) { return key.key().size(); })
      .def(
          "__getitem__", [](const PolicyKey& key, std::size_t number) { return key.candidate(number); },
          nb::arg("candidate"), "A copy of what is known of a candidate. Raises IndexError.")
      .def_prop_ro(
          "incumbent", [](const PolicyKey& key) { return key.key().incumbent; },
          "The candidate that lasting uses take.")
      .def_prop_ro(
          "leader", [](const PolicyKey& key) { return key.key().leader(); },
          "The candidate with the least location.")
      .def_prop_ro("settled", [](const PolicyKey& key) { return key.key().settled; })
      .def_prop_ro("calls", [](const PolicyKey& key) { return key.key().calls; })
      .def_prop_ro(
          "results", [](const PolicyKey& key) { return key.key().results; }, "Timed results in this run.")
      .def_prop_ro(
          "deviation", [](const PolicyKey& key) { return key.key().deviation(); },
          "Standard deviation of the log latency of one launch.");
  nb::class_<PolicyRandom>(module, "PolicyRandom",
                           "The random numbers of a policy, so that a replay repeats.")
      .def(
          "uniform", [](const PolicyRandom& random) { return random.random().uniform(); }, "In [0, 1).")
      .def(
          "below",
          [](const PolicyRandom& random, std::uint32_t bound) {
            if (bound == 0) throw nb::value_error("bound is at least 1");
            return random.random().below(bound);
          },
          nb::arg("bound"), "A whole number in [0, bound).");
  module.def(
      "replay", &replay_trace, nb::arg("trace"), nb::arg("policy") = "default", nb::kw_only(),
      nb::arg("calls") = 1000, nb::arg("runs") = 20, nb::arg("seed") = 1, nb::arg("order") = "random",
      nb::arg("truth") = "mean", nb::arg("alone") = false,
      nb::sig("def replay(trace: str | os.PathLike[str], policy: str | Callable[[], ReplayPolicy] = "
              "'default', *, "
              "calls: int = 1000, runs: int = 20, seed: int = 1, order: str = 'random', truth: str = 'mean', "
              "alone: "
              "bool = False) -> dict[str, object]"),
      "A policy against recorded latencies, as `adaptive replay` does it; its figures, by the same names.\n\n"
      "trace: a file of lines {\"op\", \"key\", \"variant\", \"latency_us\": [...]}.\n"
      "policy: one of policy_names(), 'epsilon-greedy', 'kl-ucb', or a class whose objects decide:\n"
      "`choose(key, random)` returns the number of a candidate, or (candidate, timed);\n"
      "`observe(key, candidate,\nseconds)`, where there is one, hears of every result. Each key has a policy "
      "of its "
      "own.\n"
      "calls: of each key. runs: of every key. The same arguments give the same result.\n"
      "order: 'random', or 'recorded' (the latencies come as they were recorded).\n"
      "truth: what a variant's latency is, 'mean' or 'trimmed' (without the slowest tenth).\n"
      "alone: keys do not learn from each other.\n\n"
      "The first exception of a policy ends its say and is raised in the end. Raises Error for a trace that "
      "cannot be\n"
      "used and for an unknown name, ValueError for other arguments.");
}

}  // namespace adaptive::python
