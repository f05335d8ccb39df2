#include <charconv>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "examples/serving/report/summary.hpp"

namespace serving {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (c == '\n')
      out += "\\n";
    else if (code < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", unsigned{code});
      out += escape;
    } else
      out += c;
  }
  return out + '"';
}

/// Writes an object member by member.
class Object {
 public:
  Object& add(std::string_view name, std::string_view text) { return raw(name, quoted(text)); }
  Object& add(std::string_view name, std::uint64_t value) { return raw(name, std::to_string(value)); }
  Object& add(std::string_view name, double value) {
    if (!std::isfinite(value)) return raw(name, "null");
    char text[32];  // enough for the shortest text that reads back as the same number, in any locale
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    return raw(name, std::string(text, end));
  }
  Object& raw(std::string_view name, const std::string& value) {
    text_ += (text_.empty() ? "{" : ",") + quoted(name) + ":" + value;
    return *this;
  }
  std::string text() const { return text_ + "}"; }

 private:
  std::string text_;
};

std::string comparison_json(const Summary& s) {
  const Comparison& c = s.comparison;
  Object object;
  object.add("covered_share", s.calibration.covered_share)
      .add("default_ms", c.default_ns * 1e-6)
      .add("seed_ms", c.seed_ns ? *c.seed_ns * 1e-6 : std::nan(""))
      .add("single_ms", c.single_ns * 1e-6)
      .add("adapted_ms", c.adapted_ns * 1e-6)
      .add("adapted_measured_ms", c.measured_ns * 1e-6)
      .add("learned_ms", c.learned_ns * 1e-6)
      .add("best_ms", c.best_ns * 1e-6)
      .add("calibration_launches", s.calibration.launches)
      .add("calibration_rounds", std::uint64_t{s.calibration.rounds})
      .add("calibration_s", s.calibration.wall_s);
  return object.text();
}

std::string note_json(const RunNote& n) {
  Object object;
  object.add("launches", n.launches).add("explored", n.explored).add("keys", n.keys).add("exact", n.exact);
  return object.add("lost_ms", n.lost_ns * 1e-6).text();
}

std::string top_json(const Summary& s) {
  std::string out;
  for (const KeySummary& key : s.top) {
    Object object;
    object.add("operation", key.operation)
        .add("key", key.key)
        .add("leader", key.leader)
        .add("match", key.match)
        .add("launches", key.launches)
        .add("explored", key.explored)
        .add("time_share", key.time_share)
        .add("default_us", key.default_us)
        .add("leader_us", key.leader_us)
        .add("best_us", key.best_us)
        .add("explanation", key.explanation);
    out += (out.empty() ? "" : ",") + object.text();
  }
  return "[" + out + "]";
}

}  // namespace

std::string json_of(const Summary& s) {
  Object matches;
  matches.add("exact", s.matches.exact).add("nearest", s.matches.nearest);
  matches.add("predicted", s.matches.predicted).add("default", s.matches.fallback);
  Object object;
  object.add("device", s.device)
      .add("mode", s.mode)
      .add("source", s.source)
      .add("model", s.model)
      .add("requests", s.requests)
      .add("prompt_tokens", s.prompt_tokens)
      .add("answer_tokens", s.answer_tokens)
      .add("steps", s.run.steps)
      .add("launches", s.run.launches)
      .add("keys", s.keys)
      .add("settled_keys", s.settled_keys)
      .add("ahead_keys", s.ahead_keys)
      .add("timed", s.run.timed)
      .add("explored", s.explored)
      .add("lost_ms", s.lost_ns * 1e-6)
      .add("promotions", s.promotions)
      .add("demotions", s.demotions)
      .add("failures", s.failures)
      .add("kernel_ms", s.run.kernel_ns * 1e-6)
      .add("wall_s", s.run.wall_s)
      .add("simulated_s", s.simulated_s)
      .raw("matches", matches.text())
      .raw("comparison", comparison_json(s))
      .raw("previous", s.previous ? note_json(*s.previous) : "null")
      .raw("top", top_json(s));
  return object.add("output", s.output).text() + "\n";
}

}  // namespace serving
