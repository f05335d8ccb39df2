#include "bench/soak/accounts.hpp"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "table/table.hpp"

namespace adaptive::bench {
namespace {

double number(std::uint64_t value) {
  return static_cast<double>(value);
}

// The value of a line of Prometheus' text, such as `adaptive_epoch` or
// `adaptive_results_total{operation="a"}`.
double value_of(const std::string& text, const std::string& series) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(series + " ")) return std::stod(line.substr(series.size() + 1));
  throw std::runtime_error("the metrics have no " + series);
}

// The values of a quarter of the moments, in ascending order.
template <class Member>
std::vector<double> quarter(const std::vector<Moment>& moments, bool is_last, Member member) {
  const std::size_t size = std::max<std::size_t>(moments.size() / 4, 1);
  const std::size_t begin = is_last ? moments.size() - size : 0;
  std::vector<double> values;
  for (std::size_t i = begin; i < begin + size; ++i)
    values.push_back(static_cast<double>(moments[i].process.*member));
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

void Accounts::equal(const std::string& what, double found, double expected) {
  between(what, found, expected, expected);
}

void Accounts::between(const std::string& what, double found, double least, double most) {
  const bool holds = found >= least && found <= most;
  ++(holds ? held_ : broken_);
  if (holds) return;
  if (least == most)
    std::printf("CHECK FAILED: %s is %.15g and should be %.15g\n", what.c_str(), found, most);
  else
    std::printf("CHECK FAILED: %s is %.15g and should be between %.15g and %.15g\n", what.c_str(), found,
                least, most);
}

void check_counters(Accounts& accounts, const Serving& serving, std::size_t which) {
  const Operation& operation = serving.operation(which);
  const Counters c = operation.counters();
  const Deeds deeds = serving.deeds(which);
  const std::string& name = operation.name();
  accounts.equal(name + ": timed", number(c.timed), number(deeds.timed));
  accounts.equal(name + ": invalid results", number(c.results_invalid), number(deeds.invalid));
  accounts.equal(name + ": failures", number(c.failures), number(deeds.failed));
  // A key that gets a state takes up the result of its call before, which had taught the model.
  const double received =
      number(c.results + c.results_invalid + c.results_duplicate + c.results_expired + c.results_dropped);
  accounts.between(name + ": results of all kinds", received, number(deeds.recorded),
                   number(deeds.recorded + (c.keys_passing > 0 ? c.keys : 0)));
  accounts.between(name + ": second results", number(c.results_duplicate + c.results_expired),
                   number(deeds.twice) - number(c.results_dropped), number(deeds.recorded));
  accounts.between(name + ": lost results", number(c.results_lost),
                   number(c.results_expired) - number(deeds.twice),
                   number(deeds.withheld + c.results_expired + c.results_dropped + deeds.failed));
  for (const auto& [what, count] :
       std::map<std::string, std::uint64_t>{{"wrong keys", c.wrong_arity + c.keys_invalid},
                                            {"keys without a variant", c.unsupported},
                                            {"wrong choices", c.choices_invalid}})
    accounts.equal(name + ": " + what, number(count), 0.0);
}

void check_metrics(Accounts& accounts, const Serving& serving, const std::string& text) {
  for (std::size_t which = 0; which < Serving::operations; ++which) {
    const Operation& operation = serving.operation(which);
    const Counters c = operation.counters();
    const std::string label = "{operation=\"" + operation.name() + "\"}";
    for (const auto& [series, count] :
         std::map<std::string, std::uint64_t>{{"adaptive_results_total", c.results},
                                              {"adaptive_promotions_total", c.promotions},
                                              {"adaptive_demotions_total", c.demotions},
                                              {"adaptive_explored_total", c.explored},
                                              {"adaptive_failures_total", c.failures}})
      accounts.equal("metrics: " + series + label, value_of(text, series + label), number(count));
  }
}

void check_top(Accounts& accounts, const Serving& serving, const std::string& json,
               const std::string& selector) {
  const nlohmann::json answers = nlohmann::json::parse(json);
  const auto found = std::find_if(answers.begin(), answers.end(),
                                  [&](const nlohmann::json& one) { return one.at("name") == selector; });
  if (found == answers.end()) throw std::runtime_error("adaptive top does not show " + selector);
  for (std::size_t which = 0; which < Serving::operations; ++which) {
    const Operation& operation = serving.operation(which);
    const Counters c = operation.counters();
    for (const nlohmann::json& shown : found->at("operations")) {
      if (shown.at("name") != operation.name()) continue;
      for (const auto& [member, count] : std::map<std::string, std::uint64_t>{{"keys", c.keys},
                                                                              {"promotions", c.promotions},
                                                                              {"demotions", c.demotions},
                                                                              {"failures", c.failures}})
        accounts.equal("top: " + operation.name() + ": " + member, shown.at(member).get<double>(),
                       number(count));
    }
  }
}

void check_table(Accounts& accounts, const std::filesystem::path& table, std::uint64_t projection_results) {
  const table::ReadResult read = table::read(table);
  std::uint64_t count = 0;
  for (const auto& [key, entry] : read.table.operations.at("projection").entries)
    for (const auto& [variant, record] : entry.variants) count += record.count;
  accounts.equal("table: results of projection", number(count), number(projection_results));
}

void check_audit(Accounts& accounts, const std::filesystem::path& file, std::uint64_t promotions,
                 std::uint64_t demotions) {
  std::map<std::string, std::uint64_t> events;
  for (int older = 0; older < 16; ++older) {
    std::ifstream lines(file.string() + (older == 0 ? "" : "." + std::to_string(older)));
    for (std::string line; std::getline(lines, line);)
      ++events[nlohmann::json::parse(line).at("event").get<std::string>()];
  }
  const std::string name = file.filename().string();
  accounts.equal(name + ": promotions", number(events["promotion"]), number(promotions));
  accounts.equal(name + ": demotions", number(events["demotion"]), number(demotions));
  accounts.equal(name + ": dropped", number(events["dropped"]), 0.0);
}

void check_growth(Accounts& accounts, const std::vector<Moment>& moments) {
  if (moments.size() < 4) throw std::runtime_error("the run was too short to see whether anything grows");
  constexpr double mib_per_change = 1.5 / 1024.0;
  const double histories = mib_per_change * number(moments.back().changes - moments.front().changes);
  for (const auto& [name, member] : {std::pair{"resident memory, MiB", &ProcessState::resident_mib},
                                     std::pair{"heap in use, MiB", &ProcessState::heap_mib}}) {
    const std::vector<double> first = quarter(moments, false, member);
    const std::vector<double> last = quarter(moments, true, member);
    const double before = first[first.size() / 2];
    accounts.between(name, last[last.size() / 2], 0.0, std::max(before + 1.0, before * 1.02) + histories);
  }
  // A scrape or a question of `top` may have a connection at the moment of a sample: the least counts.
  for (const auto& [name, member] :
       {std::pair{"descriptors", &ProcessState::descriptors}, std::pair{"threads", &ProcessState::threads}})
    accounts.between(name, quarter(moments, true, member).front(), 0.0,
                     quarter(moments, false, member).front());
}

}  // namespace adaptive::bench
