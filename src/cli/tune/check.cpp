#include "cli/tune/check.hpp"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>
#include <adaptive/random.hpp>

#include "cli/json_output.hpp"
#include "table/table.hpp"
#include "tuning/cuda_operation.hpp"
#include "tuning/tuner.hpp"

namespace adaptive::cli {
namespace {

struct Checked {
  std::string shape = {};
  std::string incumbent = {};
  std::string problem = {};  ///< empty: it holds
  double before_us = 0.0, now_us = 0.0, radius = 0.0;
};

std::vector<const table::Entry*> sample(const table::OperationTable& operation, std::size_t count,
                                        std::uint64_t seed) {
  std::vector<const table::Entry*> entries;
  for (const auto& [key, entry] : operation.entries)
    if (!entry.incumbent.empty()) entries.push_back(&entry);
  Random random(seed);
  for (std::size_t i = entries.size(); i > 1; --i)
    std::swap(entries[i - 1], entries[random.below(static_cast<std::uint32_t>(i))]);
  if (entries.size() > count) entries.resize(count);
  return entries;
}

void judge(const tuning::TunedShape& shape, const table::Entry& entry, double tolerance, Checked& checked) {
  if (shape.failure) {
    checked.problem = fmt::format("{}: {}", to_string(*shape.failure), shape.detail);
    return;
  }
  const auto& all = shape.race.contestants;
  const auto now = std::find_if(all.begin(), all.end(),
                                [&](const auto& c) { return c.candidate.name == entry.incumbent; });
  if (now == all.end()) {
    checked.problem = "is no candidate any more";
    return;
  }
  if (now->status != tuning::TrialStatus::ok || now->count == 0) {
    checked.problem = fmt::format("{}: {}", to_string(now->status), now->detail);
    return;
  }
  checked.now_us = now->location_us;
  checked.radius = now->radius;
  const double surely_us = now->location_us * std::exp(-now->radius);
  if (now->outcome == tuning::Outcome::slower)
    checked.problem = "is surely slower than the default";
  else if (checked.before_us > 0.0 && surely_us > checked.before_us * (1.0 + tolerance))
    checked.problem = fmt::format("is {:.1f} % slower than the table says",
                                  100.0 * (now->location_us / checked.before_us - 1.0));
}

void print(const std::vector<Checked>& all, std::ostream& out) {
  for (const Checked& checked : all)
    out << fmt::format("{} {}: {} {} -> {}{}{}\n", checked.problem.empty() ? "holds    " : "REGRESSED",
                       checked.shape, checked.incumbent, latency_text(checked.before_us),
                       checked.now_us > 0.0 ? latency_text(checked.now_us) : "nothing",
                       checked.problem.empty() ? "" : ": it ", checked.problem);
}

nlohmann::ordered_json checks_json(const std::vector<Checked>& all) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Checked& checked : all)
    list.push_back({{"shape", checked.shape},
                    {"variant", checked.incumbent},
                    {"holds", checked.problem.empty()},
                    {"problem", checked.problem},
                    {"table_us", checked.before_us},
                    {"measured_us", checked.now_us},
                    {"confidence_percent", 100.0 * checked.radius}});
  return list;
}

}  // namespace

Exit check_table(const CheckOptions& options, tuning::Target& target, Console& console, std::ostream& out) {
  const table::Table table = table::read(options.table).table;
  const auto operation = table.operations.find(target.name());
  if (operation == table.operations.end())
    throw Error("has nothing of " + target.name(), options.table.string(),
                "tune it first: `adaptive tune " + target.name() + " --update`");
  const Fingerprint here = target.fingerprint();
  if (!table.fingerprint.device.empty() &&
      normalised_device(table.fingerprint.device) != normalised_device(here.device))
    throw Error("is of " + table.fingerprint.device + ", and this is " + here.device, options.table.string(),
                "run the check on that device");
  std::vector<Checked> all;
  for (const table::Entry* entry : sample(operation->second, options.entries, options.race.seed)) {
    const kernels::Shape shape = tuning::shape_of(entry->key);
    Checked checked{.shape = kernels::to_string(target.dimensions(), shape), .incumbent = entry->incumbent};
    if (const auto record = entry->variants.find(entry->incumbent); record != entry->variants.end())
      checked.before_us = record->second.location_ns / 1e3;
    console.progress(fmt::format("checking {}", checked.shape));
    if (const auto why = target.why_invalid(shape)) {
      checked.problem = "is no shape of the family: " + *why;
    } else {
      tuning::TrialLog log;
      tuning::TuneOptions tune{.race = options.race, .space = {.variants = {entry->incumbent}}};
      tune.race.exhaustive = false;
      const tuning::TuneResult result = tuning::tune({&target}, {shape}, log, tune);
      judge(result.shapes.front(), *entry, options.tolerance, checked);
    }
    all.push_back(std::move(checked));
  }
  if (options.json)
    print_json(checks_json(all), out);
  else
    print(all, out);
  const auto regressed =
      std::count_if(all.begin(), all.end(), [](const Checked& c) { return !c.problem.empty(); });
  if (!options.json)
    out << fmt::format("{} of {} entries hold\n", all.size() - static_cast<std::size_t>(regressed),
                       all.size());
  return regressed == 0 ? exit_ok : exit_check;
}

}  // namespace adaptive::cli
