// Results in the schema T4 1.0, which names neither kernel nor problem nor device:
//
//   {"schema_version": "1.0.0",
//    "results": [{"configuration": {"block_size_x": 16, …}, "times": {"runtimes": [12.26, …], …},
//                 "invalidity": "correct", "measurements": [{"name": "time", "value": 12.26, "unit": "ms"}],
//                 …}]}
//
// Runtimes are in milliseconds. An invalidity other than "correct" means that the configuration cannot be
// used.
#include "formats/tuners/t4.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "formats/text/document.hpp"
#include "formats/text/measured.hpp"
#include "formats/text/values.hpp"
#include "formats/tuners/tuner_log.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

double median_of(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// The time that the tuner itself states, in ns.
std::optional<double> stated_time(JsonValue measurements) {
  for (const JsonValue one : measurements) {
    bool is_time = false;
    double ns_per_unit = ns_per_ms;
    std::optional<double> value;
    for (const JsonValue field : one) {
      if (field.name() == "name" && field.is(JsonKind::text)) is_time = field.text() == "time";
      if (field.name() == "value" && field.is_number()) value = field.number();
      if (field.name() != "unit" || !field.is(JsonKind::text)) continue;
      if (field.text() == "ns" || field.text() == "nanoseconds") ns_per_unit = 1.0;
      if (field.text() == "us" || field.text() == "microseconds") ns_per_unit = ns_per_us;
      if (field.text() == "s" || field.text() == "seconds") ns_per_unit = ns_per_s;
    }
    if (is_time && value) return *value * ns_per_unit;
  }
  return std::nullopt;
}

class T4 final : public TunerLog {
 public:
  std::string_view name() const noexcept override { return "t4"; }
  std::string_view what() const noexcept override { return "results in the schema T4"; }

  bool recognises_member(JsonValue member) const override {
    if (member.name() != "results" || !member.is(JsonKind::list)) return false;
    for (const JsonValue result : member)
      for (const JsonValue field : result)
        if (field.name() == "configuration" && field.is(JsonKind::object)) return true;
    return false;
  }

  void read(const Document& document, Sheet& sheet, const Checks& checks) const override {
    std::vector<Measured> measured;
    document.for_each_member([&](JsonValue member) {
      const Path root;
      const Path path = root / member.name();
      if (member.name() != "results" || !checks.is(member, JsonKind::list, path)) return;
      std::size_t index = 0;
      for (const JsonValue result : member) read_result(result, path / index++, measured, checks);
    });
    std::string_view stem = sheet.file_name();
    stem = stem.substr(0, stem.rfind('.'));
    add_log_row(sheet, stem, {}, {}, measured, checks);
  }

 private:
  static void read_result(JsonValue result, const Path& path, std::vector<Measured>& measured,
                          const Checks& checks) {
    if (!checks.is(result, JsonKind::object, path)) return;
    Measured one;
    std::vector<double> runtimes;
    std::optional<double> time;
    bool usable = true;
    for (const JsonValue field : result) {
      if (field.name() == "configuration" && checks.is(field, JsonKind::object, path / field.name()))
        one.parameters = read_parameters(field, path / field.name(), checks);
      if (field.name() == "invalidity") usable = field.is(JsonKind::text) && field.text() == "correct";
      if (field.name() == "measurements") time = stated_time(field);
      if (field.name() == "times")
        for (const JsonValue times : field)
          if (times.name() == "runtimes") runtimes = latencies_in(times, ns_per_ms);
    }
    if (one.parameters.empty())
      return checks.notices().fault(result, path, "has no configuration; it is left out");
    if (usable) one.record = record_of(runtimes, time.value_or(median_of(runtimes)));
    if (one.record.count == 0) one.record = failed_record();
    measured.push_back(std::move(one));
  }
};

}  // namespace

const Format& t4() {
  static const T4 format;
  return format;
}

}  // namespace adaptive::table::formats
