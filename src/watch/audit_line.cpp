#include "watch/audit_line.hpp"

#include <unistd.h>

#include <cmath>
#include <vector>

#include <nlohmann/json.hpp>

#include <adaptive/version.hpp>
#include "base/device/host_name.hpp"
#include "base/key_values.hpp"
#include "base/time_text.hpp"

namespace adaptive::inline v1::watch {
namespace {

using AuditJson = nlohmann::ordered_json;

const char* event_name(EventKind kind) {
  switch (kind) {
    case EventKind::promotion:
      return "promotion";
    case EventKind::demotion:
      return "demotion";
    case EventKind::failure:
      return "failure";
  }
  return "";
}

// Sizes as numbers, labels by name, sets as lists of names.
AuditJson key_value(const Dimension& dimension, std::int64_t value) {
  if (!dimension.has_labels() || !core::names_labels(dimension, value)) return value;
  if (dimension.kind == DimensionKind::label) return dimension.labels[static_cast<std::size_t>(value)];
  AuditJson names = AuditJson::array();
  for (std::size_t i = 0; i < dimension.labels.size(); ++i)
    if ((value >> i & 1) != 0) names.push_back(dimension.labels[i]);
  return names;
}

AuditJson begin_line(std::int64_t time, const char* event) {
  return {{"time", table::time_text(time)}, {"event", event}};
}

// Texts that are not UTF-8 must not keep a line from being written.
std::string end_line(AuditJson& line) {
  line["host"] = core::host_name();
  line["process"] = ::getpid();
  return line.dump(-1, ' ', false, AuditJson::error_handler_t::replace) + "\n";
}

void describe_incumbent(AuditJson& line, const ChangeNote& note) {
  const Change change = change_of(note);
  line["operation"] = change.operation;
  AuditJson& key = line["key"] = AuditJson::object();
  const std::vector<Dimension>& dimensions = note.operation->dimensions;
  for (std::size_t i = 0; i < dimensions.size() && i < note.key.size(); ++i)
    key[dimensions[i].name] = key_value(dimensions[i], note.key[i]);
  line["from"] = change.from;
  line["to"] = change.to;
  line["why"] = change.reason();
  if (change.from_results > 0) line["from_ns"] = change.from_ns;
  if (change.to_results > 0) line["to_ns"] = change.to_ns;
  line["from_results"] = change.from_results;
  line["to_results"] = change.to_results;
  if (change.from_results > 0 && change.to_results > 0) line["gain"] = change.gain;
  line["calls"] = std::floor(change.calls);
}

}  // namespace

Change change_of(const ChangeNote& note) {
  const core::IncumbentChange& change = note.change;
  const core::OperationContext& operation = *note.operation;
  return {.time = note.time,
          .kind = change.kind,
          .operation = operation.name,
          .key = core::print(operation.dimensions, note.key),
          .from = operation.variants[change.from].spec.name,
          .to = operation.variants[change.to].spec.name,
          .from_ns = change.from_ns,
          .to_ns = change.to_ns,
          .from_results = change.from_results,
          .to_results = change.to_results,
          .gain = change.gain,
          .calls = change.calls,
          .epoch = change.epoch,
          .is_disabled = note.is_disabled,
          .is_above_memory_limit = change.is_above_memory_limit};
}

nlohmann::ordered_json audit_members(const ChangeNote& note, const core::LearningContext& context) {
  AuditJson line;
  switch (note.kind) {
    case ChangeNote::Kind::start:
      line = begin_line(note.time, "start");
      line["mode"] = to_string(note.to_mode);
      line["version"] = library_version;
      line["device"] = context.device.device;
      line["driver"] = context.device.driver;
      line["toolkit"] = context.device.toolkit;
      break;
    case ChangeNote::Kind::mode:
      line = begin_line(note.time, "mode");
      line["from"] = to_string(note.from_mode);
      line["to"] = to_string(note.to_mode);
      if (note.by_process != 0) line["by_process"] = note.by_process;
      break;
    case ChangeNote::Kind::tables:
      line = begin_line(note.time, "tables");
      line["table"] = note.path.data();
      break;
    case ChangeNote::Kind::incumbent:
      line = begin_line(note.time, event_name(note.change.kind));
      describe_incumbent(line, note);
      break;
  }
  line["epoch"] = note.epoch;
  return line;
}

std::string audit_line(const ChangeNote& note, const core::LearningContext& context) {
  AuditJson line = audit_members(note, context);
  return end_line(line);
}

std::string dropped_line(std::uint64_t dropped, std::int64_t time) {
  AuditJson line = begin_line(time, "dropped");
  line["count"] = dropped;
  return end_line(line);
}

}  // namespace adaptive::watch
