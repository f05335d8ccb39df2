#include "cli/tune/check.hpp"

#include <algorithm>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>
#include <adaptive/random.hpp>

#include "cli/json_output.hpp"
#include "table/comparing/comparison.hpp"
#include "table/comparing/proof.hpp"
#include "table/merging/align.hpp"
#include "table/table.hpp"
#include "tuning/cuda_operation.hpp"
#include "tuning/tuner.hpp"

namespace adaptive::inline v1::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Checked {
  std::string shape = {};
  std::string incumbent = {};
  std::string problem = {};  ///< empty: the entry has not regressed
  double before_us = 0.0, now_us = 0.0, radius = 0.0;
  std::optional<table::Comparison> comparison =
      {};  ///< with the table, if the table has measured the variant
};

struct Tolerance {
  double share = 0.0;           ///< share by which a latency may have grown
  std::size_t comparisons = 1;  ///< number of comparisons that are made together
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

table::Statistics statistics_of(const tuning::Contestant& contestant) {
  const double deviation_ns = contestant.deviation_us * 1e3;
  return {.count = contestant.count,
          .mean_ns = contestant.mean_us * 1e3,
          .variance_ns2 = deviation_ns * deviation_ns,
          .location_ns = contestant.location_us * 1e3};
}

void judge(const tuning::TunedShape& shape, const table::Entry& entry, const Tolerance& tolerance,
           Checked& checked) {
  if (shape.failure) {
    checked.problem = fmt::format("{}: {}", to_string(*shape.failure), shape.detail);
    return;
  }
  const auto& all = shape.race.contestants;
  const auto now = std::find_if(all.begin(), all.end(),
                                [&](const auto& c) { return c.candidate.name == checked.incumbent; });
  if (now == all.end()) {
    checked.problem = "is no longer a candidate";
    return;
  }
  if (now->status != tuning::TrialStatus::ok || now->count == 0) {
    checked.problem = fmt::format("{}: {}", to_string(now->status), now->detail);
    return;
  }
  checked.now_us = now->location_us;
  checked.radius = now->radius;
  if (const auto record = entry.variants.find(checked.incumbent);
      record != entry.variants.end() && record->second.count > 0)
    checked.comparison = table::compare(record->second, statistics_of(*now), tolerance.comparisons);
  const tuning::Contestant& first = all.front();
  std::optional<table::Comparison> with_default;
  if (now->outcome == tuning::Outcome::slower && first.count > 0)
    with_default = table::compare(statistics_of(first), statistics_of(*now), tolerance.comparisons);
  if (with_default && with_default->is_regression(tolerance.share))
    checked.problem = fmt::format("is {:.1f} % slower than the default, with noise of {:.1f} %",
                                  100.0 * with_default->change, 100.0 * with_default->noise);
  else if (checked.comparison && checked.comparison->is_regression(tolerance.share))
    checked.problem = fmt::format("is {:.1f} % slower than in the table, with noise of {:.1f} %",
                                  100.0 * checked.comparison->change, 100.0 * checked.comparison->noise);
}

// Whether the variant is slower than in the table by more than the tolerance, but not by more than the noise.
bool is_unsure(const Checked& checked, double tolerance) {
  return checked.problem.empty() && checked.comparison && checked.comparison->change > tolerance;
}

void print_checked(const std::vector<Checked>& all, double tolerance, std::ostream& out) {
  for (const Checked& checked : all) {
    std::string note = checked.problem.empty() ? "" : ": it " + checked.problem;
    if (is_unsure(checked, tolerance))
      note = fmt::format(": {:.1f} % slower, within the noise of {:.1f} %",
                         100.0 * checked.comparison->change, 100.0 * checked.comparison->noise);
    out << fmt::format("{} {}: {} {} -> {}{}\n", checked.problem.empty() ? "holds    " : "REGRESSED",
                       checked.shape, checked.incumbent, latency_text(checked.before_us),
                       checked.now_us > 0.0 ? latency_text(checked.now_us) : "nothing", note);
  }
}

Json checks_json(const std::vector<Checked>& all, double tolerance) {
  Json list = Json::array();
  for (const Checked& checked : all)
    list.push_back({{"shape", checked.shape},
                    {"variant", checked.incumbent},
                    {"holds", checked.problem.empty()},
                    {"problem", checked.problem},
                    {"table_us", checked.before_us},
                    {"measured_us", checked.now_us},
                    {"noise_percent", checked.comparison ? Json(100.0 * checked.comparison->noise) : Json()},
                    {"within_noise", is_unsure(checked, tolerance)},
                    {"confidence_percent", 100.0 * checked.radius}});
  return list;
}

}  // namespace

Exit check_table(const CheckOptions& options, tuning::Target& target, Console& console, std::ostream& out) {
  const table::Table table = table::read(options.table).table;
  const auto found = table.operations.find(target.name());
  if (found == table.operations.end())
    throw Error(ErrorCode::not_found, "has no entries for " + target.name(), options.table.string(),
                "tune it first: `adaptive tune " + target.name() + " --update`");
  const Fingerprint here = target.fingerprint();
  if (!table.fingerprint.device.empty() &&
      normalised_device(table.fingerprint.device) != normalised_device(here.device))
    throw Error(ErrorCode::mismatch,
                "is for " + table.fingerprint.device + ", but this device is " + here.device,
                options.table.string(), "run the check on that device");
  // The table may have the dimensions and the labels in another order.
  std::string mismatch;
  const std::optional<table::OperationTable> operation =
      table::aligned(found->second, tuning::dimensions_of(target.dimensions()), mismatch);
  if (!operation)
    throw Error(ErrorCode::mismatch, target.name() + " has other dimensions in the table: " + mismatch,
                options.table.string());
  const std::vector<const table::Entry*> sampled = sample(*operation, options.entries, options.race.seed);
  std::vector<Checked> all;
  for (const table::Entry* entry : sampled) {
    const kernels::Shape shape = tuning::shape_of(entry->key);
    Checked checked{.shape = kernels::to_string(target.dimensions(), shape),
                    .incumbent = table::lasting_incumbent(*entry)};
    if (const auto record = entry->variants.find(checked.incumbent); record != entry->variants.end())
      checked.before_us = record->second.location_ns / 1e3;
    console.progress(fmt::format("checking {}", checked.shape));
    if (const auto why = target.why_invalid(shape)) {
      checked.problem = "is not a valid shape of the family: " + *why;
    } else {
      tuning::TrialLog log;
      tuning::TuneOptions tune{.race = options.race, .space = {.variants = {checked.incumbent}}};
      tune.race.exhaustive = false;
      const tuning::TuneResult result = tuning::tune({&target}, {shape}, log, tune);
      judge(result.shapes.front(), *entry, {options.tolerance, sampled.size()}, checked);
    }
    all.push_back(std::move(checked));
  }
  if (options.json)
    print_json(checks_json(all, options.tolerance), out);
  else
    print_checked(all, options.tolerance, out);
  const auto regressed =
      std::count_if(all.begin(), all.end(), [](const Checked& c) { return !c.problem.empty(); });
  if (!options.json)
    out << fmt::format("{} of {} entries hold\n", all.size() - static_cast<std::size_t>(regressed),
                       all.size());
  return regressed == 0 ? exit_ok : exit_check;
}

}  // namespace adaptive::cli
