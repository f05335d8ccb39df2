#include "watch/socket/answers.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>
#include <adaptive/explanation.hpp>
#include <adaptive/version.hpp>
#include "base/device/host_name.hpp"
#include "base/key_values.hpp"
#include "base/time_text.hpp"
#include "operation/control.hpp"
#include "operation/explain.hpp"
#include "operation/snapshot.hpp"
#include "watch/audit_line.hpp"

namespace adaptive::inline v1::watch {
namespace {

using AnswerJson = nlohmann::ordered_json;
using core::KeyStanding;
using core::KeyTotals;
using core::OperationParts;
using core::Overview;

constexpr std::size_t limit_usual = 50;
constexpr std::size_t limit_max = 1000;
constexpr std::size_t candidates_max = 64;  // of an explanation
constexpr double seconds_per_ns = 1e-9;

/// A request that cannot be answered.
struct Refusal {
  const char* code = "";
  std::string what = {};
};

std::string text_of(const AnswerJson& json) {
  return json.dump(-1, ' ', false, AnswerJson::error_handler_t::replace);
}

AnswerJson begin_answer() {
  return {{"version", protocol_version}};
}

Answer refuse(const Refusal& refusal, bool ends) {
  AnswerJson answer = begin_answer();
  answer["error"] = {{"code", refusal.code}, {"what", refusal.what}};
  return {.line = text_of(answer), .ends = ends};
}

Refusal invalid(std::string what) {
  return {.code = "invalid", .what = std::move(what)};
}
Refusal busy() {
  return {.code = "busy", .what = "the program has kept the selector's lock; ask again"};
}

double by_time(const KeyTotals& key) {
  return key.time_ns;
}
double by_calls(const KeyTotals& key) {
  return key.calls;
}
double by_saved(const KeyTotals& key) {
  return key.saved_ns;
}
double by_lost(const KeyTotals& key) {
  return key.lost_ns;
}
double by_change(const KeyTotals& key) {
  return static_cast<double>(key.changed);
}

struct SortOrder {
  std::string_view name;
  double (*value)(const KeyTotals&);
};
constexpr SortOrder sort_orders[] = {
    {"time", by_time}, {"calls", by_calls}, {"saved", by_saved}, {"lost", by_lost}, {"changed", by_change}};

/// A key that may be shown.
struct Row {
  const OperationParts* operation = nullptr;
  KeyTotals totals = {};
  std::optional<KeyStanding> standing = {};
};

const std::string& variant_name(const OperationParts& operation, std::uint32_t variant) {
  return operation.context.variants[variant].spec.name;
}

std::string key_text(const Row& row) {
  return core::print(row.operation->spec.dimensions, row.totals.learner->key());
}

bool contains(const Row& row, std::string_view text) {
  const OperationParts& operation = *row.operation;
  const std::string all = operation.spec.name + " " + key_text(row) + " " +
                          variant_name(operation, row.standing->incumbent) + " " +
                          variant_name(operation, row.standing->leader);
  return all.find(text) != all.npos;
}

// The first `limit` keys of all operations. Keys that are equal stay in the order of their operations.
std::vector<Row> first_rows(const std::vector<std::pair<const OperationParts*, Overview>>& all,
                            const SortOrder& order, std::string_view filter, std::size_t limit) {
  std::vector<Row> rows;
  for (const auto& [operation, overview] : all)
    for (const KeyTotals& totals : overview.keys) {
      Row row{operation, totals};
      if (!filter.empty()) {
        row.standing = core::standing(*totals.learner);
        if (!contains(row, filter)) continue;
      }
      rows.push_back(row);
    }
  std::vector<std::size_t> sorted(rows.size());
  for (std::size_t i = 0; i < sorted.size(); ++i) sorted[i] = i;
  const std::size_t shown = std::min(limit, rows.size());
  std::partial_sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(shown), sorted.end(),
                    [&](std::size_t a, std::size_t b) {
                      const double x = order.value(rows[a].totals);
                      const double y = order.value(rows[b].totals);
                      return x != y ? x > y : a < b;
                    });
  std::vector<Row> first;
  for (std::size_t i = 0; i < shown; ++i) {
    Row row = rows[sorted[i]];
    if (!row.standing) row.standing = core::standing(*row.totals.learner);
    first.push_back(row);
  }
  return first;
}

AnswerJson operation_json(const OperationParts& operation, const Overview& overview) {
  const Counters& counters = overview.status.counters;
  const Account& account = overview.status.account;
  return {{"name", operation.spec.name},
          {"variants", operation.context.variants.size()},
          {"keys", counters.keys},
          {"confirmed_keys", overview.status.keys_confirmed},
          {"passing_calls", counters.keys_passing},
          {"calls", static_cast<std::uint64_t>(account.calls)},
          {"time_s", overview.time_ns * seconds_per_ns},
          {"saved_s", account.saved_ns * seconds_per_ns},
          {"lost_s", account.lost_exploring_ns * seconds_per_ns},
          {"results", counters.results},
          {"explored", counters.explored},
          {"failures", counters.failures},
          {"promotions", counters.promotions},
          {"demotions", counters.demotions}};
}

AnswerJson latency_json(double ns) {
  return ns > 0.0 ? AnswerJson(ns) : AnswerJson();
}

AnswerJson row_json(const Row& row, double time_ns) {
  const KeyStanding& standing = *row.standing;
  return {{"operation", row.operation->spec.name},
          {"key", key_text(row)},
          {"share", time_ns > 0.0 ? row.totals.time_ns / time_ns : 0.0},
          {"calls", static_cast<std::uint64_t>(row.totals.calls)},
          {"time_s", row.totals.time_ns * seconds_per_ns},
          {"saved_s", row.totals.saved_ns * seconds_per_ns},
          {"lost_s", row.totals.lost_ns * seconds_per_ns},
          {"default", variant_name(*row.operation, standing.by_default)},
          {"default_ns", latency_json(standing.default_ns)},
          {"incumbent", variant_name(*row.operation, standing.incumbent)},
          {"incumbent_ns", latency_json(standing.incumbent_ns)},
          {"leader", variant_name(*row.operation, standing.leader)},
          {"leader_ns", latency_json(standing.leader_ns)},
          {"confirmed", standing.confirmed},
          {"confidence", standing.confidence ? AnswerJson(*standing.confidence) : AnswerJson()},
          {"changed_epoch", row.totals.changed}};
}

AnswerJson candidate_json(const Explanation::Candidate& candidate) {
  return {{"name", candidate.name},
          {"available", candidate.available},
          {"calls", static_cast<std::uint64_t>(candidate.calls)},
          {"results", candidate.count},
          {"failures", candidate.failures},
          {"pending", candidate.pending},
          {"location_ns", latency_json(candidate.location_ns)},
          {"lower_ns", latency_json(candidate.lower_ns)},
          {"upper_ns", latency_json(candidate.upper_ns)},
          {"median_ns", latency_json(candidate.recent.median_ns)},
          {"p95_ns", latency_json(candidate.recent.p95_ns)},
          {"p99_ns", latency_json(candidate.recent.p99_ns)},
          {"seed_ns", latency_json(candidate.seed_ns)},
          {"verdict", candidate.verdict}};
}

// Keeps what tells most: an operation may have tens of thousands of variants.
std::size_t shorten(Explanation& e) {
  const std::size_t all = e.candidates.size();
  const auto is_named = [&](const Explanation::Candidate& c) {
    return c.name == e.incumbent || c.name == e.leader || c.name == e.running;
  };
  if (all > candidates_max) {
    std::stable_sort(e.candidates.begin(), e.candidates.end(), [&](const auto& a, const auto& b) {
      return std::pair(is_named(a), a.count) > std::pair(is_named(b), b.count);
    });
    e.candidates.resize(candidates_max);
  }
  for (std::vector<std::string>* const names : {&e.unsupported, &e.other_class})
    if (names->size() > candidates_max) names->resize(candidates_max);
  return all - e.candidates.size();
}

AnswerJson explanation_json(Explanation e) {
  const std::size_t left_out = shorten(e);
  AnswerJson json = begin_answer();
  json["operation"] = e.operation;
  json["key"] = e.key;
  json["mode"] = to_string(e.mode);
  json["match"] = to_string(e.match.kind);
  json["source"] = e.source;
  json["running"] = e.running;
  json["pinned"] = e.pinned;
  json["incumbent"] = e.incumbent;
  json["leader"] = e.leader;
  json["confirmed"] = e.settled;
  json["calls"] = static_cast<std::uint64_t>(e.calls);
  json["explored_share"] = e.explored_share;
  json["lost_share"] = e.lost_share;
  json["reason"] = e.reason;
  json["candidates"] = AnswerJson::array();
  for (const Explanation::Candidate& candidate : e.candidates)
    json["candidates"].push_back(candidate_json(candidate));
  json["candidates_left_out"] = left_out;
  json["text"] = e.text();
  return json;
}

std::optional<Mode> mode_named(std::string_view name) {
  for (const Mode mode : {Mode::off, Mode::seed, Mode::observe, Mode::online, Mode::frozen})
    if (to_string(mode) == name) return mode;
  return std::nullopt;
}

}  // namespace

struct Answers::Request {
  explicit Request(std::string_view text) : json(AnswerJson::parse(text, nullptr, false)) {
    if (json.is_discarded() || !json.is_object()) throw invalid("the request is not a JSON object");
    const auto version = json.find("version");
    if (version == json.end() || !version->is_number_integer()) throw invalid("the request has no version");
    if (*version != protocol_version)
      throw Refusal{.code = "version",
                    .what = "this process speaks version " + std::to_string(protocol_version)};
  }

  /// Empty if there is no such member.
  std::string text(const char* name) const {
    const auto at = json.find(name);
    if (at == json.end() || at->is_null()) return {};
    if (!at->is_string()) throw invalid(std::string(name) + " is not a text");
    return at->get<std::string>();
  }
  std::string required(const char* name) const {
    std::string value = text(name);
    if (value.empty()) throw invalid(std::string("the request has no ") + name);
    return value;
  }
  std::size_t limit() const {
    const auto at = json.find("limit");
    if (at == json.end() || at->is_null()) return limit_usual;
    if (!at->is_number_unsigned() || *at > limit_max)
      throw invalid("limit is not a number from 0 to " + std::to_string(limit_max));
    return at->get<std::size_t>();
  }
  const SortOrder& order() const {
    const std::string name = text("sort");
    for (const SortOrder& order : sort_orders)
      if (name.empty() || order.name == name) return order;
    throw invalid("sort is none of time, calls, saved, lost and changed");
  }

  AnswerJson json;
};

Answer Answers::respond(std::string_view line, const Peer& peer, ForkGuard& guard, const SocketName& self) {
  try {
    const Request request(line);
    const std::string ask = request.required("ask");
    if (ask == "status") return {.line = status(request, guard, self)};
    if (ask == "explain") return {.line = explain(request, guard)};
    if (ask == "mode") return {.line = set_mode(request, peer, guard)};
    throw invalid("ask is none of status, explain and mode");
  } catch (const Refusal& refusal) {
    return refuse(refusal, std::string_view(refusal.code) == "invalid");
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    return refuse({.code = "failed", .what = error.what()}, false);
  }
}

std::string Answers::status(const Request& request, ForkGuard& guard, const SocketName& self) {
  const std::string only = request.text("operation");
  const std::string filter = request.text("filter");
  const SortOrder& order = request.order();
  const std::size_t limit = request.limit();
  const auto begin = std::chrono::steady_clock::now();
  Watched::Contents contents;
  std::vector<std::pair<const OperationParts*, Overview>> all;
  std::vector<Row> rows;
  std::vector<ChangeNote> notes;
  double time_ns = 0.0;
  const bool is_read = guard.run([&] {
    contents = {};
    if (!watched_.try_contents(contents) || !changes_.recent(notes)) return false;
    for (const OperationParts* const operation : contents.operations)
      if (only.empty() || operation->spec.name == only)
        time_ns += all.emplace_back(operation, core::overview(*operation)).second.time_ns;
    rows = first_rows(all, order, filter, limit);
    return true;
  });
  if (!is_read) throw busy();
  if (!only.empty() && all.empty())
    throw Refusal{.code = "not_found", .what = "there is no operation " + only};

  AnswerJson json = begin_answer();
  json["process"] = self.process;
  json["selector"] = self.selector;
  json["name"] = name_.empty() ? context_.device.device : name_;
  json["host"] = core::host_name();
  json["device"] = context_.device.device;
  json["library"] = library_version;
  json["time"] = table::time_text(context_.now());
  json["mode"] = to_string(context_.mode.load(std::memory_order_relaxed));
  json["rank_consistent"] = context_.rank_consistent;
  json["epoch"] = context_.epoch.load(std::memory_order_relaxed);
  json["tables"] = contents.tables;
  json["operations"] = AnswerJson::array();
  std::size_t keys = 0;
  for (const auto& [operation, overview] : all) {
    json["operations"].push_back(operation_json(*operation, overview));
    keys += overview.keys.size();
  }
  json["all_keys"] = keys;
  json["keys"] = AnswerJson::array();
  for (const Row& row : rows) json["keys"].push_back(row_json(row, time_ns));
  json["changes"] = AnswerJson::array();
  for (const ChangeNote& note : notes) json["changes"].push_back(audit_members(note, context_));
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
  json["took_ms"] = taken.count();
  return text_of(json);
}

std::string Answers::explain(const Request& request, ForkGuard& guard) {
  const std::string name = request.required("operation");
  const std::string key = request.required("key");
  bool has_operation = false;
  std::optional<Explanation> explanation;
  const bool is_read = guard.run([&] {
    Watched::Contents contents;
    if (!watched_.try_contents(contents)) return false;
    for (const OperationParts* const operation : contents.operations) {
      if (operation->spec.name != name) continue;
      has_operation = true;
      // A key that has a state is explained without asking the program.
      for (const Key& known : core::keys(*operation))
        if (core::print(operation->spec.dimensions, known) == key)
          explanation = core::explain(*operation, known);
    }
    return true;
  });
  if (!is_read) throw busy();
  if (!has_operation) throw Refusal{.code = "not_found", .what = "there is no operation " + name};
  if (!explanation)
    throw Refusal{.code = "not_found", .what = name + " has no key \"" + key + "\" with a state"};
  return text_of(explanation_json(*std::move(explanation)));
}

std::string Answers::set_mode(const Request& request, const Peer& peer, ForkGuard& guard) {
  const std::string name = request.text("mode");
  AnswerJson json = begin_answer();
  const Mode present = context_.mode.load(std::memory_order_relaxed);
  if (name.empty()) {
    json["mode"] = to_string(present);
    return text_of(json);
  }
  const std::optional<Mode> mode = mode_named(name);
  if (!mode) throw invalid("mode is none of off, seed, observe, online and frozen");
  Mode former = present;
  if (!guard.run([&] { return watched_.try_set_mode(*mode, former); })) throw busy();
  if (former != *mode) {
    changes_.add_mode(former, *mode, peer.process);
    context_.say(LogLevel::info, "mode " + std::string(to_string(*mode)) + ", by process " +
                                     std::to_string(peer.process) + " over the socket");
  }
  json["mode"] = to_string(*mode);
  json["former"] = to_string(former);
  return text_of(json);
}

}  // namespace adaptive::watch
