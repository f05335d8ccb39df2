#include "examples/serving/calibration.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <span>

#include <adaptive/random.hpp>

namespace serving {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
/// Number of rounds after which a variant that takes more than `hopeless` times the best of its key is not
/// measured again. More rounds would take most of the time and change no sum.
constexpr std::uint32_t rounds_of_all = 3;
constexpr double hopeless = 1.5;

double median(std::vector<double> values) {
  if (values.empty()) return unknown;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 != 0) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// Every second value, starting at `first`.
std::vector<double> half(const std::vector<double>& values, std::size_t first) {
  std::vector<double> taken;
  for (std::size_t i = first; i < values.size(); i += 2) taken.push_back(values[i]);
  return taken;
}

/// The variant of the key with the smallest value of `of`.
template <class Of>
std::uint32_t least(std::size_t variants, Of&& of) {
  std::uint32_t best = 0;
  double best_value = std::numeric_limits<double>::infinity();
  for (std::uint32_t v = 0; v < variants; ++v) {
    const double value = of(v);  // comparisons with NaN are false
    if (value < best_value) best = v, best_value = value;
  }
  return best;
}

std::vector<const KeyRun*> keys_that_hold_the_time(const Workload& workload, double share, double& covered) {
  std::vector<const KeyRun*> keys = workload.keys();
  std::stable_sort(keys.begin(), keys.end(),
                   [](const KeyRun* a, const KeyRun* b) { return a->time_ns() > b->time_ns(); });
  double total = 0, held = 0;
  for (const KeyRun* key : keys) total += key->time_ns();
  std::size_t count = 0;
  while (count < keys.size() && held < share * total) held += keys[count++]->time_ns();
  keys.resize(count);
  covered = total > 0 ? held / total : 0;
  return keys;
}

struct Task {
  const KeyRun* key;
  std::uint32_t variant;
};

class Calibrator {
 public:
  Calibrator(const Workload& workload, const CalibrationLimits& limits, std::uint64_t seed)
      : workload_(workload), random_(seed) {
    for (const KeyRun* key :
         keys_that_hold_the_time(workload, limits.covered_share_min, result_.covered_share)) {
      const FamilyOperation& family = workload.entry(*key).family;
      result_.keys[key].samples_ns.resize(family.family_variants.size());
      for (std::uint32_t v = 0; v < family.family_variants.size(); ++v)
        if (family.family->runs(family.family_variants[v], key->shape)) tasks_.push_back({key, v});
    }
  }

  /// Returns false if `stop` ended the round.
  template <class Stop>
  bool round(Stop&& stop) {
    for (std::size_t i = tasks_.size(); i > 1; --i)
      std::swap(tasks_[i - 1], tasks_[random_.below(static_cast<std::uint32_t>(i))]);
    for (const Task& task : tasks_) {
      if (stop()) return false;
      measure(task);
    }
    if (++result_.rounds >= rounds_of_all) drop_hopeless();
    return true;
  }

  Calibration& result() { return result_; }

 private:
  void measure(const Task& task) {
    warm(*task.key);
    if (task.key->before != nullptr) warm(*task.key->before);
    ++result_.launches;
    if (const auto latency_ns = workload_.launch(*task.key, task.variant))
      result_.keys[task.key].samples_ns[task.variant].push_back(*latency_ns);
  }

  void warm(const KeyRun& key) {
    workload_.launch(key, key.leader);
    ++result_.launches;
  }

  void drop_hopeless() {
    std::map<const KeyRun*, double> limit_ns;
    for (const auto& [key, latencies] : result_.keys)
      limit_ns[key] = hopeless * latencies.median_ns(latencies.best_variant());
    std::erase_if(tasks_, [&](const Task& task) {
      return task.variant != 0 && result_.keys[task.key].median_ns(task.variant) > limit_ns[task.key];
    });
  }

  const Workload& workload_;
  adaptive::Random random_;
  std::vector<Task> tasks_;
  Calibration result_;
};

}  // namespace

double KeyLatencies::median_ns(std::uint32_t variant) const {
  return median(samples_ns[variant]);
}

std::uint32_t KeyLatencies::best_variant() const {
  return least(samples_ns.size(), [this](std::uint32_t v) { return median_ns(v); });
}

double KeyLatencies::best_ns() const {
  double sum = 0;
  for (const std::size_t first : {0u, 1u}) {
    const std::uint32_t chosen =
        least(samples_ns.size(), [&](std::uint32_t v) { return median(half(samples_ns[v], first)); });
    const double read = median(half(samples_ns[chosen], 1 - first));
    if (!(read > 0)) return median_ns(best_variant());  // there was only one round
    sum += read;
  }
  return sum / 2;
}

Calibration calibrate(const Workload& workload, const CalibrationLimits& limits, std::uint64_t seed,
                      const std::function<bool()>& interrupted, const std::function<void(double)>& progress) {
  Calibrator calibrator(workload, limits, seed);
  Calibration& result = calibrator.result();
  const Clock::time_point begin = Clock::now();
  const auto stop = [&] {
    result.wall_s = std::chrono::duration<double>(Clock::now() - begin).count();
    progress(result.wall_s);
    return result.rounds >= 1 && (interrupted() || (result.rounds >= 2 && result.wall_s >= limits.seconds));
  };
  while (result.rounds < limits.rounds_max && calibrator.round(stop)) {
  }
  return result;
}

}  // namespace serving
