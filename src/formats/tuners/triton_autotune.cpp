// Triton's $TRITON_CACHE_DIR/HASH/KERNEL.autotune.json, which `cache_results=True` writes for one key:
//
//   {"key": ["4096", "16", "torch.float16", "torch.float16"],
//    "configs_timings": [[{"kwargs": {"BLOCK_M": 64}, "num_warps": 4, "num_stages": 3, …}, [0.21, 0.20,
//    0.22]], …]}
//
// Timings are the median, the 20 % and the 80 % quantile in milliseconds, or infinite if the configuration
// cannot run. Triton takes the least one. The key has the values of the arguments that the program tunes for,
// without their names, and then the types of all arguments that have one. Operation and dimensions are those
// of adaptive_selector.triton: whole numbers are sizes, and everything else is in the label `types`.
#include "formats/tuners/triton_autotune.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "formats/text/document.hpp"
#include "formats/text/measured.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr std::string_view autotune_suffix = ".autotune.json";
constexpr std::size_t sizes_max = 9;  // a table adds dimensions for the types and the device

// The fields of a configuration that are not arguments of the kernel.
constexpr std::array<std::string_view, 12> launch_fields = {
    "num_warps",    "num_stages",          "num_ctas",         "maxnreg",
    "ir_override",  "num_consumer_groups", "reg_dec_producer", "reg_inc_consumer",
    "minRegAutoWS", "maxRegAutoWS",        "pingpongAutoWS",   "num_buffers_warp_spec"};

bool is_launch_field(std::string_view name) {
  return std::find(launch_fields.begin(), launch_fields.end(), name) != launch_fields.end();
}

bool is_type(std::string_view text) {
  constexpr std::array<std::string_view, 8> heads = {"torch.", "jax.",  "int",    "uint",
                                                     "fp",     "float", "bfloat", "bf"};
  return std::any_of(heads.begin(), heads.end(),
                     [&](std::string_view head) { return text.starts_with(head); });
}

// "torch.float16" and "fp16" become "fp16".
std::string type_label(std::string_view type) {
  std::string text(type.substr(type.rfind('.') + 1));
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> names = {
      {{"float16", "fp16"}, {"bfloat16", "bf16"}, {"float32", "fp32"}, {"float64", "fp64"}, {"bool", "i1"}}};
  for (const auto& [name, label] : names)
    if (text == name) return std::string(label);
  if (text.starts_with("int") && parse_size(text.substr(3))) return "i" + text.substr(3);
  if (text.starts_with("uint") && parse_size(text.substr(4))) return "u" + text.substr(4);
  return text;
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '.';
}

// "matmul.fp16.fp16": other characters become a dot, several of them a single one.
std::string operation_name(const std::string& kernel, const std::string& label) {
  std::string name;
  bool replaced = false;
  std::string whole = kernel;
  whole.append(".").append(label);
  for (const char c : whole) {
    if (is_name_character(c))
      name += c;
    else if (!replaced)
      name += '.';
    replaced = !is_name_character(c);
  }
  while (name.ends_with('.')) name.pop_back();
  while (name.starts_with('.')) name.erase(0, 1);
  return name;
}

std::string dimension_name(std::string_view parameter) {
  std::string name(parameter);
  for (char& c : name)
    if (!is_name_character(c)) c = '_';
  return name;
}

// What the key of a file says.
struct TuningKey {
  std::vector<Dimension> dimensions = {};
  Shape values = {};
  std::string types = {};
};

// Nothing, and a notice, if the names do not fit the values.
std::optional<TuningKey> key_of(const std::vector<std::string>& texts, const Given& given,
                                const Checks& checks) {
  std::vector<std::string> names;
  if (const auto list = given.find(given_key_names); list != given.end()) {
    names = core::split(list->second, ',');
    if (names.size() > texts.size()) {
      checks.notices().fault(0, Path{},
                             "its key has " + std::to_string(texts.size()) + " values, but --key-names has " +
                                 std::to_string(names.size()) + " names");
      return std::nullopt;
    }
  } else {
    while (names.size() < texts.size() && !is_type(texts[names.size()]))
      names.push_back("key" + std::to_string(names.size()));
  }
  TuningKey key;
  std::vector<std::string> labels;
  for (std::size_t i = names.size(); i < texts.size(); ++i) labels.push_back(type_label(texts[i]));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string name = dimension_name(names[i]);
    const std::optional<std::int64_t> size = parse_size(texts[i]);
    if (size && !name.empty() && key.dimensions.size() < sizes_max && key.values.emplace(name, *size).second)
      key.dimensions.push_back(size_dimension(name));
    else
      labels.push_back(names[i] + "=" + texts[i]);
  }
  key.types = labels.empty() ? "none" : core::joined(labels, ",");
  key.dimensions.push_back(label_dimension("types", {}));
  if (key.types.size() > limits::name_bytes || !key.values.emplace("types", key.types).second) {
    checks.notices().fault(0, Path{}, "its key is too long, or has a value named types");
    return std::nullopt;
  }
  return key;
}

class TritonAutotune final : public Format {
 public:
  std::string_view name() const noexcept override { return "triton-autotune"; }
  std::string_view system() const noexcept override { return "triton"; }
  std::string_view what() const noexcept override { return "timings of Triton's autotuner"; }
  std::span<const OperationShape> operations() const noexcept override { return {}; }
  bool names_operations() const noexcept override { return true; }
  bool tells_folders_apart() const noexcept override { return false; }

  bool recognises_path(std::string_view path) const override { return path.ends_with(autotune_suffix); }
  bool recognises_member(JsonValue member) const override { return member.name() == "configs_timings"; }

  void read(const Document& document, Sheet& sheet, const Checks& checks) const override {
    std::vector<std::string> texts;
    std::vector<Measured> measured;
    document.for_each_member([&](JsonValue member) {
      const Path root;
      const Path path = root / member.name();
      if (member.name() == "key" && checks.is(member, JsonKind::list, path)) {
        texts.clear();
        for (const JsonValue value : member)
          texts.emplace_back(checks.text(value, path, limits::name_bytes).value_or(std::string_view()));
      } else if (member.name() == "configs_timings" && checks.is(member, JsonKind::list, path)) {
        measured.clear();
        std::size_t index = 0;
        for (const JsonValue pair : member) read_pair(pair, path / index++, measured, checks);
      }
    });
    std::string kernel(sheet.file_name());
    kernel.resize(std::min(kernel.find(autotune_suffix), kernel.size()));
    std::optional<TuningKey> key = key_of(texts, sheet.given, checks);
    if (!key) return;
    sheet.operation = operation_name(kernel, key->types);
    if (sheet.operation.empty() || sheet.operation.size() > limits::name_bytes)
      return checks.notices().fault(0, Path{}, "its name is not that of a kernel, or too long");
    if (measured.empty()) return checks.notices().fault(0, Path{}, "has no timings");
    sheet.dimensions = std::move(key->dimensions);
    Row row = row_of(measured);
    row.key = std::move(key->values);
    row.place = {"configs_timings"};
    sheet.rows.push_back(std::move(row));
  }

  std::string path_of(const Sheet& sheet) const override {
    return sheet.operation + std::string(autotune_suffix);
  }
  std::string empty_document(const Sheet&) const override { return "{}"; }
  std::string_view why_not_made() const noexcept override {
    return "Triton finds its file of a key by a hash that only the program can compute, so the entries are "
           "not "
           "written; adaptive_selector.triton reads tables";
  }
  // Triton takes the least time, whatever a program has learned since; so only the winner remains.
  std::vector<Edit> edits(const Row& row, const Row* old) const override {
    if (old == nullptr || !row.parameters) return {};
    const std::string ms = print_json(Parameter(row.record.mean_ns / ns_per_ms));
    return {{old->place,
             "[[" + print_configuration(*row.parameters) + ", [" + ms + ", " + ms + ", " + ms + "]]]"}};
  }
  bool varies(std::string_view, std::string_view) const override { return true; }

  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const override {
    Answer answer = exact_answer(sheets, question.key);
    if (answer.source.empty())
      answer.warnings.emplace_back(
          "Triton measures every configuration at the first launch of a key without a file");
    return answer;
  }

 private:
  static void read_pair(JsonValue pair, const Path& path, std::vector<Measured>& measured,
                        const Checks& checks) {
    Measured one;
    std::size_t index = 0;
    bool has_configuration = false;
    for (const JsonValue part : pair) {
      if (index == 0 && part.is(JsonKind::object)) {
        has_configuration = true;
        read_configuration(part, path / index, one.parameters, checks);
      } else if (index == 1) {
        one.record = record_of_timing(part);
      }
      ++index;
    }
    if (!has_configuration || index != 2)
      return checks.notices().fault(pair, path, "is not a configuration and its timing; it is left out");
    measured.push_back(std::move(one));
  }

  static void read_configuration(JsonValue fields, const Path& path, Parameters& parameters,
                                 const Checks& checks) {
    for (const JsonValue field : fields) {
      if (field.is(JsonKind::null)) continue;  // a field that is not set
      if (field.name() == "kwargs" && field.is(JsonKind::object))
        parameters.merge(read_parameters(field, path / field.name(), checks));
      else if (std::optional<Parameter> value = parameter_in(field);
               value && checks.name(field.name(), field.offset(), path))
        parameters.insert_or_assign(std::string(field.name()), *std::move(value));
      else
        checks.notices().fault(field, path / field.name(), "cannot be a parameter; only the file keeps it");
    }
  }

  static VariantRecord record_of_timing(JsonValue timing) {
    std::array<double, 3> ms = {};
    std::size_t count = 0;
    if (timing.is_number()) ms[count++] = timing.number();
    if (timing.is(JsonKind::list))
      for (const JsonValue quantile : timing)
        if (count < ms.size()) ms[count++] = quantile.is_number() ? quantile.number() : INFINITY;
    if (count == 0 || !is_latency(ms[0] * ns_per_ms))
      return count > 0 && ms[0] == 0.0 ? VariantRecord() : failed_record();
    VariantRecord record = record_of(ms[0] * ns_per_ms);
    // Triton's benchmark repeats a launch for 100 ms by default.
    constexpr double benchmark_ms = 100.0;
    constexpr double launches_max = 1000.0;
    record.count = static_cast<std::uint64_t>(std::clamp(benchmark_ms / ms[0], 1.0, launches_max));
    // Between these quantiles lie 1.683 standard deviations of a normal distribution.
    const double deviation = count == ms.size() ? (ms[2] - ms[1]) / 1.683 * ns_per_ms : 0.0;
    if (record.count > 1 && deviation > 0.0 && is_latency(deviation))
      record.variance_ns2 = std::min(deviation * deviation, limits::variance_ns2);
    return record;
  }

  static std::string print_configuration(const Parameters& parameters) {
    Parameters arguments;
    Parameters launch;
    for (const auto& [name, value] : parameters)
      (is_launch_field(name) ? launch : arguments).emplace(name, value);
    std::string text = print_json(launch, launch_fields);
    text.pop_back();
    return text + (launch.empty() ? "" : ", ") + "\"kwargs\": " + print_json(arguments, {}) + "}";
  }
};

}  // namespace

const Format& triton_autotune() {
  static const TritonAutotune format;
  return format;
}

}  // namespace adaptive::table::formats
