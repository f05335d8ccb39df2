#include "tuning/parameter_effect.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "tuning/trial_log.hpp"

namespace adaptive::inline v1::tuning {
namespace {

// Prints "64" for a value of 64, as to_string of parameters would after the name.
std::string value_text(const Parameter& value) {
  return to_string(Parameters{{"", value}}).substr(1);
}

struct Group {
  double sum = 0.0;
  double least = std::numeric_limits<double>::infinity();
  std::size_t count = 0;
};

struct Totals {
  double between = 0.0, within = 0.0;  // sums of squares of log latencies
  struct Value {
    double log_slowdown = 0.0;
    std::size_t shapes = 0, wins = 0;
  };
  std::map<std::string, Value> values;
};

void add_race(const RaceResult& race, const std::string& parameter, Totals& totals) {
  std::map<std::string, Group> groups;
  std::vector<std::pair<std::string, double>> all;
  double sum = 0.0, least = std::numeric_limits<double>::infinity();
  for (const Contestant& contestant : race.contestants) {
    const auto at = contestant.candidate.parameters.find(parameter);
    if (contestant.location_us <= 0.0) continue;
    const double x = std::log(contestant.location_us);
    least = std::min(least, x);
    if (at == contestant.candidate.parameters.end()) continue;
    const std::string value = value_text(at->second);
    Group& group = groups[value];
    group.sum += x;
    group.least = std::min(group.least, x);
    ++group.count;
    sum += x;
    all.emplace_back(value, x);
  }
  if (groups.size() < 2) return;
  const double mean = sum / static_cast<double>(all.size());
  for (const auto& [value, x] : all) {
    const Group& group = groups[value];
    const double of_group = group.sum / static_cast<double>(group.count);
    totals.between += (of_group - mean) * (of_group - mean);
    totals.within += (x - of_group) * (x - of_group);
  }
  for (const auto& [value, group] : groups) {
    Totals::Value& total = totals.values[value];
    total.log_slowdown += group.least - least;
    ++total.shapes;
  }
  if (!race.best) return;
  const Parameters& best = race.contestants[*race.best].candidate.parameters;
  if (const auto at = best.find(parameter); at != best.end()) ++totals.values[value_text(at->second)].wins;
}

ParameterEffect effect_of(std::string parameter, const Totals& totals) {
  ParameterEffect effect{.parameter = std::move(parameter)};
  const double squares = totals.between + totals.within;
  effect.share = squares > 0.0 ? totals.between / squares : 0.0;
  for (const auto& [value, total] : totals.values)
    effect.values.push_back(
        {value, std::exp(total.log_slowdown / static_cast<double>(total.shapes)), total.shapes, total.wins});
  std::stable_sort(effect.values.begin(), effect.values.end(),
                   [](const ValueEffect& a, const ValueEffect& b) { return a.slowdown < b.slowdown; });
  return effect;
}

}  // namespace

std::vector<ParameterEffect> parameter_effects(const std::vector<RaceResult>& races) {
  std::set<std::string> names;
  for (const RaceResult& race : races)
    for (const Contestant& contestant : race.contestants)
      for (const auto& [name, value] : contestant.candidate.parameters) names.insert(name);
  std::vector<ParameterEffect> effects;
  for (const std::string& name : names) {
    Totals totals;
    for (const RaceResult& race : races) add_race(race, name, totals);
    if (!totals.values.empty()) effects.push_back(effect_of(name, totals));
  }
  std::stable_sort(effects.begin(), effects.end(),
                   [](const ParameterEffect& a, const ParameterEffect& b) { return a.share > b.share; });
  return effects;
}

}  // namespace adaptive::tuning
