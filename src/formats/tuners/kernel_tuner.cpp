// Kernel Tuner's cache files, versions 1.0 and 1.1 and those before:
//
//   {"device_name": "NVIDIA A4000", "kernel_name": "convolution", "problem_size": [4096, 4096],
//    "tune_params_keys": ["block_size_x", …], "tune_params": {…}, "objective": "time",
//    "cache": {"16,1": {"block_size_x": 16, …, "time": 3.87, "times": [3.97, …], …}, …}}
//
// Times are in milliseconds; a text such as "CompilationFailedConfig" stands for the time of a configuration
// that cannot run.
#include "formats/tuners/kernel_tuner.hpp"

#include <string>
#include <vector>

#include "base/limits.hpp"
#include "formats/text/document.hpp"
#include "formats/text/measured.hpp"
#include "formats/text/values.hpp"
#include "formats/tuners/tuner_log.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

struct CacheHead {
  std::string kernel = {};
  std::vector<std::string> parameters = {};
  std::vector<Dimension> dimensions = {};
  Shape key = {};
};

class KernelTuner final : public TunerLog {
 public:
  std::string_view name() const noexcept override { return "kernel-tuner"; }
  std::string_view what() const noexcept override { return "a cache of Kernel Tuner"; }

  bool recognises_member(JsonValue member) const override {
    return member.name() == "tune_params_keys" && member.is(JsonKind::list);
  }

  void read(const Document& document, Sheet& sheet, const Checks& checks) const override {
    CacheHead head;
    document.for_each_member([&](JsonValue member) { read_head(member, head, sheet, checks); });
    std::vector<Measured> measured;
    // The parameters' names may follow the measurements.
    document.for_each_member([&](JsonValue member) {
      const Path root;
      const Path path = root / member.name();
      if (member.name() == "cache" && checks.is(member, JsonKind::object, path))
        for (const JsonValue one : member) read_measurement(one, path / one.name(), head, measured, checks);
    });
    add_log_row(sheet, head.kernel, std::move(head.dimensions), std::move(head.key), measured, checks);
  }

 private:
  static void read_head(JsonValue member, CacheHead& head, Sheet& sheet, const Checks& checks) {
    const Path root;
    const Path path = root / member.name();
    if (member.name() == "device_name") {
      sheet.device = checks.text(member, path, limits::text_bytes).value_or(std::string_view());
    } else if (member.name() == "kernel_name") {
      head.kernel = checks.text(member, path, limits::name_bytes).value_or(std::string_view());
    } else if (member.name() == "problem_size") {
      head.dimensions.clear();
      head.key.clear();
      read_problem_size(member, path, checks, head.dimensions, head.key);
    } else if (member.name() == "tune_params_keys" && checks.is(member, JsonKind::list, path)) {
      head.parameters.clear();
      for (const JsonValue name : member)
        if (const auto text = checks.name(name, path)) head.parameters.emplace_back(*text);
    }
  }

  static void read_measurement(JsonValue one, const Path& path, const CacheHead& head,
                               std::vector<Measured>& measured, const Checks& checks) {
    if (!checks.is(one, JsonKind::object, path)) return;
    Measured result;
    std::optional<JsonValue> time;
    std::vector<double> times;
    for (const JsonValue field : one) {
      if (std::find(head.parameters.begin(), head.parameters.end(), field.name()) != head.parameters.end()) {
        if (std::optional<Parameter> value = parameter_in(field))
          result.parameters.insert_or_assign(std::string(field.name()), *std::move(value));
      } else if (field.name() == "time") {
        time = field;
      } else if (field.name() == "times") {
        times = latencies_in(field, ns_per_ms);
      }
    }
    if (result.parameters.size() != head.parameters.size() || result.parameters.empty())
      return checks.notices().fault(one, path,
                                    "does not have every parameter of tune_params_keys; it is left out");
    if (!time) return checks.notices().fault(one, path, "has no time; it is left out");
    if (time->is_number()) result.record = record_of(times, time->number() * ns_per_ms);
    if (result.record.count == 0) result.record = failed_record();
    measured.push_back(std::move(result));
  }
};

}  // namespace

const Format& kernel_tuner() {
  static const KernelTuner format;
  return format;
}

}  // namespace adaptive::table::formats
