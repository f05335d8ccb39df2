#include "cli/report/serving_data.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>
#include <adaptive/learning.hpp>

#include "base/key_values.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "cli/command.hpp"
#include "cli/tables/standing.hpp"
#include "cli/tables/table_input.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;
using KeyName = std::pair<std::string, std::string>;  // operation and key

// Members of an audit line, which another version may have written.
std::string word_of(const nlohmann::json& line, const char* name) {
  const auto at = line.find(name);
  return at != line.end() && at->is_string() ? at->get<std::string>() : std::string();
}
double figure_of(const nlohmann::json& line, const char* name) {
  const auto at = line.find(name);
  return at != line.end() && at->is_number() ? at->get<double>() : 0.0;
}

// As keys are printed: labels of a set with '+'.
std::string audited_value(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  std::vector<std::string> labels;
  for (const nlohmann::json& label : value)
    labels.push_back(label.is_string() ? label.get<std::string>() : label.dump());
  return labels.empty() ? "none" : core::joined(labels, "+");
}

// In the order of the dimensions, which is that of the line.
std::string audited_key(const nlohmann::ordered_json& line) {
  std::string text;
  const auto key = line.find("key");
  if (key == line.end() || !key->is_object()) return text;
  for (const auto& [name, value] : key->items())
    text += (text.empty() ? "" : " ") + name + "=" + audited_value(value);
  return text;
}

// FILE and its rotated files, the oldest first.
std::vector<fs::path> with_rotated(const fs::path& file) {
  std::vector<fs::path> files = {file};
  std::error_code error;
  for (int i = 1; i <= 1000; ++i) {
    fs::path rotated = file.string() + "." + std::to_string(i);
    if (!fs::exists(rotated, error)) break;
    files.insert(files.begin(), std::move(rotated));
  }
  return files;
}

/// What the audit files say of one key.
struct KeyStory {
  std::string before = {};
  std::string after = {};
  double before_ns = 0.0;
  double after_ns = 0.0;
  double ratio = 1.0;  // of the latencies, after by before
  std::size_t changes = 0;
};

class AuditReader {
 public:
  void read(const fs::path& path) {
    std::ifstream file(path);
    if (!file) throw Error(ErrorCode::not_found, "cannot be read", path.string(), "check the path");
    for (std::string text; std::getline(file, text);) {
      // A line that a crash has left unfinished says nothing.
      const auto line = nlohmann::ordered_json::parse(text, nullptr, false);
      if (!line.is_object()) continue;
      const std::optional<std::int64_t> time = table::parse_time(word_of(line, "time"));
      const std::string event = word_of(line, "event");
      if (!time) continue;
      if (event == "start") starts.push_back(*time);
      if (event != "promotion" && event != "demotion" && event != "failure") continue;
      lines_.push_back({.time = *time,
                        .event = event,
                        .operation = word_of(line, "operation"),
                        .key = audited_key(line),
                        .from = word_of(line, "from"),
                        .to = word_of(line, "to"),
                        .why = word_of(line, "why")});
      latencies_.emplace_back(figure_of(line, "from_ns"), figure_of(line, "to_ns"));
    }
  }

  /// Follows the changes of all files in the order of their times.
  void follow() {
    std::vector<std::size_t> order(lines_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return lines_[a].time < lines_[b].time; });
    for (const ServedChange& line : lines_) stories[{line.operation, line.key}];
    double saved = 0.0;
    for (const std::size_t i : order) {
      ServedChange change = lines_[i];
      KeyStory& story = stories[{change.operation, change.key}];
      saved -= 1.0 - story.ratio;
      apply(change, latencies_[i], story);
      saved += 1.0 - story.ratio;
      change.gain_after = saved / static_cast<double>(stories.size());
      changes.push_back(std::move(change));
    }
    std::sort(starts.begin(), starts.end());
  }

  std::map<KeyName, KeyStory> stories;
  std::vector<ServedChange> changes;
  std::vector<std::int64_t> starts;

 private:
  static void apply(const ServedChange& change, const std::pair<double, double>& ns, KeyStory& story) {
    // Another run, or another process, began with a variant of its own.
    if (story.after != change.from) {
      story.before = change.from;
      story.before_ns = ns.first;
      story.ratio = 1.0;
    }
    if (ns.first > 0.0 && ns.second > 0.0) story.ratio *= ns.second / ns.first;
    story.after = change.to;
    story.after_ns = ns.second;
    ++story.changes;
  }

  std::vector<ServedChange> lines_;
  std::vector<std::pair<double, double>> latencies_;
};

double location_of(const table::Entry& entry, const std::string& variant) {
  const auto at = entry.variants.find(variant);
  return at == entry.variants.end() || at->second.count == 0 ? 0.0 : at->second.location_ns;
}

// The share that the incumbent saves against another variant of the same entry.
std::optional<Gain> gain_over(const table::Entry& entry, const std::string& incumbent,
                              const std::string& other) {
  if (other.empty() || incumbent.empty()) return std::nullopt;
  if (other == incumbent) return Gain{0.0, 0.0};
  const auto a = entry.variants.find(incumbent);
  const auto b = entry.variants.find(other);
  if (a == entry.variants.end() || b == entry.variants.end() || a->second.count == 0 || b->second.count == 0)
    return std::nullopt;
  const table::Comparison slower = table::compare(a->second, b->second);
  return Gain{1.0 - 1.0 / (1.0 + slower.change), slower.noise};
}

// Why the incumbent is not confirmed: the fastest of the variants that may still be faster by more than the
// indifference zone.
std::string what_is_open(const table::Entry& entry, const Standing& standing, std::size_t variants) {
  if (standing.measured == 0) return "nothing has been measured";
  if (standing.confirmed) return {};
  const auto incumbent = entry.variants.find(standing.incumbent);
  if (incumbent == entry.variants.end() || incumbent->second.count == 0)
    return "the incumbent has not been measured";
  if (!standing.runner_up)
    return fmt::format("only the incumbent has been measured, of {} variants", variants);
  const double zone = LearningOptions().indifference;
  const std::pair<const std::string, table::VariantRecord>* rival = nullptr;
  table::Comparison least;
  for (const auto& variant : entry.variants) {
    if (variant.second.count == 0 || variant.first == standing.incumbent) continue;
    const table::Comparison slower = table::compare(incumbent->second, variant.second);
    if (slower.change - slower.noise >= -zone || (rival != nullptr && slower.change >= least.change))
      continue;
    rival = &variant;
    least = slower;
  }
  if (rival == nullptr) return {};
  const std::uint64_t count = rival->second.count;
  return fmt::format("{} may be faster: {:.1f} % {} by {} result{}{}", rival->first,
                     100.0 * std::abs(least.change), least.change < 0.0 ? "faster" : "slower", count,
                     count == 1 ? "" : "s", noise_text(least.noise));
}

// The incumbent of the seed table for the key.
std::string seed_incumbent(const table::Table* seed, const std::string& operation, const std::string& key) {
  if (seed == nullptr) return {};
  const auto at = seed->operations.find(operation);
  if (at == seed->operations.end()) return {};
  for (const auto& [seed_key, entry] : at->second.entries)
    if (core::print(at->second.dimensions, seed_key) == key) return standing_of(entry, "").incumbent;
  return {};
}

ServedKey served_key(const table::OperationTable& operation, const table::Entry& entry,
                     const table::Table* seed, const KeyStory* story, const std::string& default_variant) {
  ServedKey key{.operation = operation.name, .key = core::print(operation.dimensions, entry.key)};
  const Standing standing = standing_of(entry, default_variant);
  key.after = standing.incumbent;
  key.after_ns = location_of(entry, key.after);
  if (const auto at = entry.variants.find(key.after); at != entry.variants.end())
    key.results = at->second.count;
  key.before = seed_incumbent(seed, operation.name, key.key);
  if (key.before.empty() && story != nullptr) key.before = story->before;
  key.before_ns = location_of(entry, key.before);
  key.over_before = gain_over(entry, key.after, key.before);
  key.over_default = gain_over(entry, key.after, default_variant);
  key.changes = story == nullptr ? 0 : story->changes;
  key.open = what_is_open(entry, standing, operation.variants.size());
  return key;
}

ServedKey served_key(const KeyName& name, const KeyStory& story) {
  ServedKey key{.operation = name.first, .key = name.second};
  key.before = story.before;
  key.after = story.after;
  key.before_ns = story.before_ns;
  key.after_ns = story.after_ns;
  if (story.before_ns > 0.0 && story.after_ns > 0.0) key.over_before = Gain{1.0 - story.ratio};
  key.changes = story.changes;
  return key;
}

double greatest_gain(const ServedKey& key) {
  const auto share = [](const std::optional<Gain>& gain) { return gain ? gain->share : -2.0; };
  return std::max(share(key.over_before), share(key.over_default));
}

std::string mean_text(const std::vector<ServedKey>& keys, std::optional<Gain> ServedKey::*gain) {
  double sum = 0.0;
  std::size_t count = 0;
  for (const ServedKey& key : keys)
    if (const std::optional<Gain>& one = key.*gain) {
      sum += one->share;
      ++count;
    }
  if (count == 0) return "unknown";
  return fmt::format("{:.1f} % of the latency, mean over {} keys", 100.0 * sum / static_cast<double>(count),
                     count);
}

void add_facts(ServingReport& report, const AuditReader& audit) {
  std::size_t open = 0;
  std::size_t changed = 0;
  for (const ServedKey& key : report.keys) {
    open += key.open.empty() ? 0 : 1;
    changed += !key.before.empty() && key.before != key.after ? 1 : 0;
  }
  report.facts.emplace_back("keys", std::to_string(report.keys.size()));
  report.facts.emplace_back("changed", fmt::format("{} keys run another variant than before", changed));
  report.facts.emplace_back("gain over before", mean_text(report.keys, &ServedKey::over_before));
  if (report.has_table) {
    report.facts.emplace_back("gain over the default", mean_text(report.keys, &ServedKey::over_default));
    report.facts.emplace_back("still open", fmt::format("{} keys", open));
  }
  if (audit.changes.empty()) return;
  std::map<std::string, std::size_t> events;
  for (const ServedChange& change : audit.changes) ++events[change.event];
  std::string text;
  for (const auto& [event, count] : events)
    text += fmt::format("{}{} {}s", text.empty() ? "" : ", ", count, event);
  report.facts.emplace_back("changes", text);
  report.facts.emplace_back("from", table::time_text(audit.changes.front().time));
  report.facts.emplace_back("to", table::time_text(audit.changes.back().time));
}

}  // namespace

std::string noise_text(double noise) {
  if (noise <= 0.0) return {};
  return noise < 1.0 ? fmt::format(" ± {:.1f} %", 100.0 * noise) : ", not certain";
}

bool is_audit_file(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return false;
  const auto json = nlohmann::json::parse(line, nullptr, false);
  return json.is_object() && json.contains("event") && json.contains("time");
}

ServingReport read_serving(const ServingSources& sources) {
  ServingReport report;
  AuditReader audit;
  std::optional<TableInput> table;
  std::optional<TableInput> seed;
  std::string names;
  for (const fs::path& path : sources.paths) {
    names += (names.empty() ? "" : ", ") + path.filename().string();
    if (is_audit_file(path)) {
      for (const fs::path& file : with_rotated(path)) audit.read(file);
      continue;
    }
    if (table) throw UsageError("report: write at most one table");
    table = load_table(path);
  }
  audit.follow();
  if (!sources.before.empty()) seed = load_table(sources.before);
  report.has_table = table.has_value();
  report.title = names;
  report.facts.emplace_back("files", names);
  if (seed) report.facts.emplace_back("before", sources.before.filename().string());
  if (table) {
    if (!table->table.fingerprint.device.empty())
      report.facts.emplace_back("device", table->table.fingerprint.device);
    for (const auto& [name, operation] : table->table.operations)
      for (const auto& [key, entry] : operation.entries) {
        const auto story = audit.stories.find({name, core::print(operation.dimensions, key)});
        report.keys.push_back(served_key(operation, entry, seed ? &seed->table : nullptr,
                                         story == audit.stories.end() ? nullptr : &story->second,
                                         default_variant_of(operation, sources.default_variant)));
      }
  } else {
    for (const auto& [name, story] : audit.stories) report.keys.push_back(served_key(name, story));
  }
  if (report.keys.empty() && audit.starts.empty())
    throw Error(ErrorCode::not_found, "has no keys and no changes", names, "name a table or an audit file");
  std::stable_sort(report.keys.begin(), report.keys.end(), [](const ServedKey& a, const ServedKey& b) {
    return greatest_gain(a) > greatest_gain(b);
  });
  add_facts(report, audit);
  report.changes = std::move(audit.changes);
  report.starts = std::move(audit.starts);
  return report;
}

}  // namespace adaptive::cli
