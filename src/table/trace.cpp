#include "table/trace.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>

#include "base/limits.hpp"
#include "files/file_text.hpp"

namespace adaptive::inline v1::table {
namespace {

using Json = nlohmann::json;

struct Line {
  std::string operation;
  std::map<std::string, Parameter> key;
  std::string variant;
  Parameters parameters;
  std::vector<double> latency_ns;
};

const Json& member(const Json& line, const char* name, bool right_type(const Json&), const char* type) {
  const auto at = line.find(name);
  if (at == line.end()) throw std::invalid_argument(std::string(name) + " is missing");
  if (!right_type(*at)) throw std::invalid_argument(std::string(name) + " is not " + type);
  return *at;
}

bool is_text(const Json& value) {
  return value.is_string();
}
bool is_object(const Json& value) {
  return value.is_object();
}
bool is_json_list(const Json& value) {
  return value.is_array();
}

std::optional<Parameter> scalar(const Json& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_string()) return value.get<std::string>();
  return std::nullopt;
}

std::optional<Parameter> label_set(const Json& value) {
  if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_text)) return std::nullopt;
  std::vector<std::string> labels = value.get<std::vector<std::string>>();
  std::sort(labels.begin(), labels.end());
  std::string text;
  for (const std::string& label : labels) text += (text.empty() ? "" : ",") + label;
  return text;
}

Parameter value_of(const std::string& dimension, const Json& value) {
  if (auto parameter = scalar(value)) return *std::move(parameter);
  if (auto set = label_set(value)) return *std::move(set);
  throw std::invalid_argument("key/" + dimension + " is neither a number, nor a text, nor a list of texts");
}

// The parser's messages quote the faulty text, which may be long or not printable.
std::string readable(std::string_view what) {
  constexpr std::size_t size_max = 200;
  std::string text(what.substr(0, size_max));
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return what.size() > size_max ? text + "..." : text;
}

std::string name_member(const Json& line, const char* member_name) {
  std::string name = member(line, member_name, is_text, "a text").get<std::string>();
  if (name.empty() || name.size() > limits::name_bytes)
    throw std::invalid_argument(std::string(member_name) + " must have 1 to " +
                                std::to_string(limits::name_bytes) + " bytes");
  return name;
}

// The parser would silently keep only one of two members with the same name.
Json parse_json(std::string_view text) {
  std::vector<std::set<std::string>> open;
  return Json::parse(text, [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start)
      open.emplace_back();
    else if (event == Json::parse_event_t::object_end)
      open.pop_back();
    else if (event == Json::parse_event_t::key && !open.back().insert(parsed.get<std::string>()).second)
      throw std::invalid_argument(parsed.get<std::string>() + " appears twice");
    return true;
  });
}

Line parse_line(std::string_view text) {
  if (text.size() > limits::trace_line_bytes)
    throw std::invalid_argument("is longer than " + std::to_string(limits::trace_line_bytes) + " bytes");
  const Json json = parse_json(text);
  if (!json.is_object()) throw std::invalid_argument("is not an object");
  Line line;
  line.operation = name_member(json, "op");
  line.variant = name_member(json, "variant");
  const Json& key = member(json, "key", is_object, "an object");
  if (key.size() > Key::capacity)
    throw std::invalid_argument("key has more than " + std::to_string(Key::capacity) + " values");
  for (const auto& [dimension, value] : key.items()) line.key.emplace(dimension, value_of(dimension, value));
  if (json.contains("parameters"))
    for (const auto& [name, value] : member(json, "parameters", is_object, "an object").items()) {
      auto parameter = scalar(value);
      if (!parameter) throw std::invalid_argument("parameters/" + name + " is neither a number nor a text");
      line.parameters.emplace(name, *std::move(parameter));
    }
  for (const Json& value : member(json, "latency_us", is_json_list, "a list")) {
    const double us = value.is_number() ? value.get<double>() : std::nan("");
    if (!(us > 0.0 && us * 1000.0 <= limits::latency_ns))
      throw std::invalid_argument("latency_us/" + std::to_string(line.latency_ns.size()) +
                                  " is not a positive number, or is too large for a latency");
    line.latency_ns.push_back(us * 1000.0);
  }
  if (line.latency_ns.empty()) throw std::invalid_argument("latency_us is empty");
  return line;
}

std::string value_text(const Parameter& value) {
  return std::visit(
      [](const auto& x) -> std::string {
        using T = std::decay_t<decltype(x)>;
        if constexpr (std::is_same_v<T, std::string>)
          return x;
        else if constexpr (std::is_same_v<T, bool>)
          return x ? "true" : "false";
        else
          return Json(x).dump();
      },
      value.value());
}

class Keys {
 public:
  explicit Keys(std::vector<TraceKey>& keys) : keys_(keys) {}

  void add(Line line) {
    TraceKey candidate{std::move(line.operation), std::move(line.key)};
    const auto [at, added] = known_.emplace(candidate.name(), keys_.size());
    if (added) keys_.push_back(std::move(candidate));
    TraceKey& key = keys_[at->second];
    std::size_t variant = 0;
    while (variant < key.variants.size() && key.variants[variant] != line.variant) ++variant;
    if (variant == key.variants.size()) {
      key.variants.push_back(std::move(line.variant));
      key.latency_ns.push_back(std::move(line.latency_ns));
      key.parameters.push_back(std::move(line.parameters));
    } else {
      std::vector<double>& all = key.latency_ns[variant];
      all.insert(all.end(), line.latency_ns.begin(), line.latency_ns.end());
    }
  }

 private:
  std::vector<TraceKey>& keys_;
  std::map<std::string, std::size_t> known_;
};

}  // namespace

std::string TraceKey::name() const {
  std::string text = operation;
  for (const auto& [dimension, value] : key) text += " " + dimension + "=" + value_text(value);
  return text;
}

Trace parse_trace(std::string_view text, const std::string& source) {
  Trace trace;
  Keys keys(trace.keys);
  std::size_t faults = 0;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    try {
      keys.add(parse_line(line));
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& e) {
      if (++faults <= limits::notices)
        trace.notices.push_back(
            {source + ":" + std::to_string(number), readable(e.what()), LogLevel::warning});
    }
  }
  if (faults > limits::notices)
    trace.notices.push_back({source, std::to_string(faults - limits::notices) + " more lines are left out"});
  if (trace.keys.empty()) {
    std::string what = "has no latencies";
    if (!trace.notices.empty())
      what += "; " + trace.notices.front().where + ": " + trace.notices.front().what;
    throw Error(ErrorCode::corrupt, what, source);
  }
  return trace;
}

Trace read_trace(const std::filesystem::path& path) {
  return parse_trace(read_text(path), path.string());
}

}  // namespace adaptive::table
