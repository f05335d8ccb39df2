// What the metrics are called, and where their values come from.
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adaptive/counters.hpp>
#include <adaptive/match.hpp>
#include <adaptive/metrics.hpp>
#include <adaptive/mode.hpp>
#include <adaptive/version.hpp>

namespace adaptive::inline v1::metrics {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

constexpr double seconds_per_ns = 1e-9;

// Adds samples, each with the labels of all.
class Collection {
 public:
  explicit Collection(const Options& options) : common_(options.labels.begin(), options.labels.end()) {}

  void begin(std::string name, std::string help, MetricType type) {
    families_.push_back({.name = std::move(name), .help = std::move(help), .type = type});
  }
  void add(double value, Labels labels = {}) {
    labels.insert(labels.end(), common_.begin(), common_.end());
    families_.back().samples.push_back({std::move(labels), value});
  }
  void add(std::uint64_t value, Labels labels = {}) { add(static_cast<double>(value), std::move(labels)); }
  std::vector<Family> take() { return std::move(families_); }

 private:
  Labels common_;
  std::vector<Family> families_;
};

struct Observed {
  std::string operation;
  OperationStatus status;
};

struct OperationCounter {
  const char* name;
  const char* help;
  std::uint64_t Counters::*member;
};
constexpr OperationCounter operation_counters[] = {
    {"adaptive_promotions_total", "Incumbents replaced by a variant that is surely faster.",
     &Counters::promotions},
    {"adaptive_demotions_total", "Incumbents replaced because they became slower.", &Counters::demotions},
    {"adaptive_explored_total", "Decisions for another variant than the leader.", &Counters::explored},
    {"adaptive_results_total", "Latencies that entered the statistics.", &Counters::results},
    {"adaptive_failures_total", "Launches that the program reported as failed.", &Counters::failures},
};

struct DropReason {
  const char* name;
  std::uint64_t Counters::*member;
};
constexpr DropReason drop_reasons[] = {
    {"invalid", &Counters::results_invalid},    {"duplicate", &Counters::results_duplicate},
    {"expired", &Counters::results_expired},    {"lost", &Counters::results_lost},
    {"not_stored", &Counters::results_dropped},
};

void add_counters(Collection& metrics, const std::vector<Observed>& all) {
  for (const OperationCounter& counter : operation_counters) {
    metrics.begin(counter.name, counter.help, MetricType::counter);
    for (const Observed& one : all)
      metrics.add(one.status.counters.*counter.member, {{"operation", one.operation}});
  }
  metrics.begin(
      "adaptive_dropped_total",
      "Latencies that were not used: not positive, a second one for the same launch, too late, never "
      "come, or without room.",
      MetricType::counter);
  for (const DropReason& reason : drop_reasons) {
    std::uint64_t sum = 0;
    for (const Observed& one : all) sum += one.status.counters.*reason.member;
    metrics.add(sum, {{"reason", reason.name}});
  }
}

void add_keys(Collection& metrics, const std::vector<Observed>& all) {
  metrics.begin("adaptive_keys", "Keys that have a state, by how they got their starting point.",
                MetricType::gauge);
  std::uint64_t confirmed = 0;
  for (const Observed& one : all) {
    for (std::size_t kind = 0; kind < one.status.keys_by_match.size(); ++kind)
      metrics.add(
          one.status.keys_by_match[kind],
          {{"operation", one.operation}, {"match", std::string(to_string(static_cast<MatchKind>(kind)))}});
    confirmed += one.status.keys_confirmed;
  }
  metrics.begin("adaptive_confirmed_keys", "Keys whose incumbent has been confirmed or promoted.",
                MetricType::gauge);
  metrics.add(confirmed);
}

void add_times(Collection& metrics, const std::vector<Observed>& all) {
  double lost_ns = 0.0;
  double saved_ns = 0.0;
  double timed_ns = 0.0;
  for (const Observed& one : all) {
    lost_ns += one.status.account.lost_exploring_ns;
    saved_ns += one.status.account.saved_ns;
    timed_ns += one.status.timed_ns;
  }
  metrics.begin("adaptive_lost_seconds_total",
                "Time by which exploring launches were slower than the leader at that moment.",
                MetricType::counter);
  metrics.add(lost_ns * seconds_per_ns);
  // No counter: what a launch has saved is estimated anew with every result, and may be negative.
  metrics.begin(
      "adaptive_saved_seconds_total",
      "Estimated time that the default variant would have taken longer in the launches so far, with "
      "the cost of exploring subtracted; may fall.",
      MetricType::gauge);
  metrics.add(saved_ns * seconds_per_ns);
  metrics.begin("adaptive_timed_seconds_total", "Sum of the latencies that entered the statistics.",
                MetricType::counter);
  metrics.add(timed_ns * seconds_per_ns);
}

void add_selector(Collection& metrics, const Selector& selector, const Options& options) {
  metrics.begin("adaptive_epoch", "Rises with every change of an incumbent.", MetricType::gauge);
  metrics.add(selector.epoch());
  if (options.stale_graphs) {
    metrics.begin("adaptive_stale_graphs", "Captured graphs that run former incumbents.", MetricType::gauge);
    metrics.add(options.stale_graphs());
  }
  const std::vector<std::filesystem::path> tables = selector.tables();
  metrics.begin("adaptive_info",
                "1; the mode, the most trusted table that seeds come from, and the version of the library.",
                MetricType::gauge);
  metrics.add(1.0, {{"mode", std::string(to_string(selector.mode()))},
                    {"table", tables.empty() ? std::string() : tables.front().string()},
                    {"version", library_version}});
}

// `quoted`: inside quotes, which need an escape of their own.
void escape(std::string& out, std::string_view text, bool quoted) {
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && quoted)
      out += "\\\"";
    else
      out += c;
  }
}

void add_line(std::string& out, const std::string& name, const Sample& sample) {
  out += name;
  const char* separator = "{";
  for (const auto& [label, value] : sample.labels) {
    out += separator + label + "=\"";
    escape(out, value, true);
    out += '"';
    separator = ",";
  }
  if (!sample.labels.empty()) out += '}';
  std::array<char, 32> number{};
  const auto [end, error] = std::to_chars(number.data(), number.data() + number.size(), sample.value);
  out += ' ';
  out.append(number.data(), end);
  out += '\n';
}

}  // namespace

std::vector<Family> collect(const Selector& selector, const Options& options) {
  std::vector<Observed> all;
  for (const Operation* operation : selector.operations())
    all.push_back({operation->name(), operation->status()});
  Collection metrics(options);
  add_counters(metrics, all);
  add_keys(metrics, all);
  add_times(metrics, all);
  add_selector(metrics, selector, options);
  return metrics.take();
}

std::string text(const std::vector<Family>& families) {
  std::string out;
  for (const Family& family : families) {
    out += "# HELP " + family.name + " ";
    escape(out, family.help, false);
    out += "\n# TYPE " + family.name + (family.type == MetricType::counter ? " counter\n" : " gauge\n");
    for (const Sample& sample : family.samples) add_line(out, family.name, sample);
  }
  return out;
}

}  // namespace adaptive::metrics
