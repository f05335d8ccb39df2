// The JSON results of the Kernel Tuning Toolkit:
//
//   {"Metadata": {"Device": "NVIDIA A4000", "TimeUnit": "Microseconds", …},
//    "Results": [{"KernelName": "gemm", "Status": "Ok", "TotalDuration": 153.2,
//                 "Configuration": [{"Name": "MWG", "IsDouble": false, "Value": 64}, …], …}, …]}
//
// A file may have the results of several kernels; the one given with --op is read, or the first.
#include "formats/tuners/ktt.hpp"

#include <optional>
#include <string>
#include <vector>

#include "base/limits.hpp"
#include "formats/text/document.hpp"
#include "formats/text/measured.hpp"
#include "formats/text/values.hpp"
#include "formats/tuners/tuner_log.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

double ns_per_named_unit(std::string_view unit) {
  if (unit == "Nanoseconds") return 1.0;
  if (unit == "Microseconds") return ns_per_us;
  if (unit == "Milliseconds") return ns_per_ms;
  return unit == "Seconds" ? ns_per_s : 0.0;
}

class Ktt final : public TunerLog {
 public:
  std::string_view name() const noexcept override { return "ktt"; }
  std::string_view what() const noexcept override { return "results of the Kernel Tuning Toolkit"; }

  bool recognises_member(JsonValue member) const override {
    if (member.name() != "Results" || !member.is(JsonKind::list)) return false;
    for (const JsonValue result : member)
      for (const JsonValue field : result)
        if (field.name() == "KernelName") return true;
    return false;
  }

  void read(const Document& document, Sheet& sheet, const Checks& checks) const override {
    Reading reading;
    if (const auto given = sheet.given.find(given_operation); given != sheet.given.end())
      reading.wanted = given->second;
    document.for_each_member([&](JsonValue member) { read_metadata(member, reading, sheet, checks); });
    document.for_each_member([&](JsonValue member) { read_results(member, reading, checks); });
    add_log_row(sheet, reading.kernel, {}, {}, reading.measured, checks);
  }

 private:
  struct Reading {
    double ns_per_unit = ns_per_us;  // of the current versions, if the file names none
    std::string wanted = {};
    std::string kernel = {};
    std::vector<Measured> measured = {};
  };

  static void read_metadata(JsonValue member, Reading& reading, Sheet& sheet, const Checks& checks) {
    const Path root;
    const Path path = root / member.name();
    if (member.name() == "Results" && member.is(JsonKind::list))
      for (const JsonValue result : member)
        for (const JsonValue field : result)
          if (field.name() == "KernelName" && field.is(JsonKind::text) && !field.text().empty() &&
              (reading.kernel.empty() || field.text() == reading.wanted))
            reading.kernel = field.text();
    if (member.name() != "Metadata" || !checks.is(member, JsonKind::object, path)) return;
    for (const JsonValue field : member) {
      if (field.name() == "Device")
        sheet.device =
            checks.text(field, path / field.name(), limits::text_bytes).value_or(std::string_view());
      if (field.name() != "TimeUnit") continue;
      const double unit = field.is(JsonKind::text) ? ns_per_named_unit(field.text()) : 0.0;
      if (unit > 0.0)
        reading.ns_per_unit = unit;
      else
        checks.notices().fault(field, path / field.name(), "is not a unit of time; microseconds are assumed");
    }
  }

  static void read_results(JsonValue member, Reading& reading, const Checks& checks) {
    const Path root;
    const Path path = root / member.name();
    if (member.name() != "Results" || !checks.is(member, JsonKind::list, path)) return;
    std::size_t index = 0;
    for (const JsonValue result : member) read_result(result, path / index++, reading, checks);
  }

  static void read_result(JsonValue result, const Path& path, Reading& reading, const Checks& checks) {
    if (!checks.is(result, JsonKind::object, path)) return;
    Measured one;
    bool usable = false;
    bool of_another_kernel = false;
    double duration = 0.0;
    for (const JsonValue field : result) {
      if (field.name() == "KernelName")
        of_another_kernel = !field.is(JsonKind::text) || field.text() != reading.kernel;
      if (field.name() == "Status") usable = field.is(JsonKind::text) && field.text() == "Ok";
      if (field.name() == "TotalDuration" && field.is_number()) duration = field.number();
      if (field.name() == "Configuration")
        one.parameters = configuration_in(field, path / field.name(), checks);
    }
    if (of_another_kernel)
      return checks.notices().fault(
          result, path, "is of another kernel than " + in_quotes(reading.kernel) + "; choose one with --op");
    if (one.parameters.empty())
      return checks.notices().fault(result, path, "has no configuration; it is left out");
    if (usable) one.record = record_of(duration * reading.ns_per_unit);
    if (one.record.count == 0) one.record = failed_record();
    reading.measured.push_back(std::move(one));
  }

  static Parameters configuration_in(JsonValue pairs, const Path& path, const Checks& checks) {
    Parameters parameters;
    std::size_t index = 0;
    for (const JsonValue pair : pairs) {
      const Path here = path / index++;
      std::string name;
      std::optional<Parameter> value;
      for (const JsonValue field : pair) {
        if (field.name() == "Name") name = checks.name(field, here / "Name").value_or(std::string_view());
        if (field.name() == "Value") value = parameter_in(field);
      }
      if (!name.empty() && value)
        parameters.insert_or_assign(name, *std::move(value));
      else
        checks.notices().fault(pair, here, "has no name and value; it is left out");
    }
    return parameters;
  }
};

}  // namespace

const Format& ktt() {
  static const Ktt format;
  return format;
}

}  // namespace adaptive::table::formats
