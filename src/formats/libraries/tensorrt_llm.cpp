// The cache of TensorRT-LLM's autotuner, one file for each rank:
//
//   {"metadata": {"lib_version": "1.2.0", "device_name": "NVIDIA B200", "device_capability": [10, 0], …},
//    "cache_data": {"('trtllm::fp4_gemm', 'Runner', 'HASH', ((16, 4096), (4096, 512)))":
//                     {"runner_id": 0, "tactic": 3, "min_time": 0.012}, …}}
//
// Times are in milliseconds.
#include "formats/libraries/tensorrt_llm.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/limits.hpp"
#include "formats/libraries/tactics.hpp"
#include "formats/nearest.hpp"
#include "formats/text/document.hpp"
#include "formats/text/measured.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr const char* capability_label = "compute_capability";
constexpr std::array<NamedVersion, 1> tensorrt_versions = {{{"lib_version", "tensorrt_llm"}}};

std::string print_cache_key(const Shape& key) {
  return "('" + label_in(key, "op") + "', '" + label_in(key, "runner") + "', " + label_in(key, "hash") +
         ", " + print_shapes(key) + ")";
}

// Nothing if the text is not a key that TensorRT-LLM would print.
std::optional<Shape> read_cache_key(std::string_view text) {
  const auto elements = tuple_elements(text);
  if (!elements || elements->size() != 4) return std::nullopt;
  const std::optional<std::string> operation = quoted_text((*elements)[0]);
  const std::optional<std::string> runner = quoted_text((*elements)[1]);
  if (!operation || !runner || operation->empty() || runner->empty() || (*elements)[2].empty() ||
      (*elements)[3].empty())
    return std::nullopt;
  Shape key = {{"op", *operation}, {"runner", *runner}, {"hash", (*elements)[2]}};
  read_shapes((*elements)[3], key);
  if (print_cache_key(key) != text) return std::nullopt;
  return key;
}

class TensorrtLlm final : public Format {
 public:
  std::string_view name() const noexcept override { return "tensorrt-llm"; }
  std::string_view what() const noexcept override { return "a cache of TensorRT-LLM's autotuner"; }
  std::span<const OperationShape> operations() const noexcept override {
    static const std::array<OperationShape, 1> all = {
        {{"tensorrt_llm",
          {size_dimension("m"), label_dimension("op", {}), label_dimension("runner", {}),
           label_dimension("hash", {}), label_dimension("shapes", {})}}}};
    return all;
  }
  std::span<const NamedVersion> versions() const noexcept override { return tensorrt_versions; }

  bool recognises_path(std::string_view) const override { return false; }
  bool recognises_member(JsonValue member) const override {
    if (member.name() != "cache_data") return false;
    for (const JsonValue one : member)
      for (const JsonValue field : one)
        if (field.name() == "runner_id" || field.name() == "tactic") return true;
    return false;
  }

  void read(const Document& document, Sheet& sheet, const Checks& checks) const override {
    sheet.operation = "tensorrt_llm";
    document.for_each_member([&](JsonValue member) {
      const Path root;
      const Path path = root / member.name();
      if (member.name() == "metadata" && checks.is(member, JsonKind::object, path))
        read_metadata(member, path, sheet, checks);
      if (member.name() == "cache_data" && checks.is(member, JsonKind::object, path))
        for (const JsonValue one : member) read_row(one, path / one.name(), sheet, checks);
    });
  }

  std::string path_of(const Sheet&) const override { return "autotuner_cache_rank0.json"; }
  std::string empty_document(const Sheet& sheet) const override {
    std::string metadata = "\"device_name\": " + print_json(Parameter(sheet.device));
    if (const std::string version = version_of(sheet, "tensorrt_llm"); !version.empty())
      metadata = "\"lib_version\": " + print_json(Parameter(version)) + ", " + metadata;
    std::string numbers = version_of(sheet, capability_label);
    if (const std::size_t dot = numbers.find('.');
        dot != std::string::npos && parse_size(numbers.substr(0, dot)) && parse_size(numbers.substr(dot + 1)))
      metadata += ", \"device_capability\": [" + numbers.replace(dot, 1, ", ") + "]";
    return "{\"metadata\": {" + metadata + "}, \"cache_data\": {}}";
  }
  std::vector<Edit> edits(const Row& row, const Row* old) const override {
    if (!row.parameters) return {};
    const MemberPath place = old != nullptr ? old->place : MemberPath{"cache_data", print_cache_key(row.key)};
    std::string value =
        "{\"runner_id\": " + std::to_string(size_in(*row.parameters, "runner_id").value_or(0)) +
        ", \"tactic\": " + print_tactic(*row.parameters);
    if (row.record.count > 0)
      value += ", \"min_time\": " + print_json(Parameter(row.record.mean_ns / ns_per_ms));
    return {{place, value + "}"}};
  }
  bool stores_latency() const noexcept override { return true; }
  bool may_be_zero(std::string_view) const noexcept override { return true; }
  bool varies(std::string_view, std::string_view) const override { return true; }

  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const override {
    Answer answer = exact_answer(sheets, question.key);
    if (!answer.source.empty()) return answer;
    answer.parameters = Parameters{{"runner_id", 0}, {"tactic", -1}};
    answer.warnings.emplace_back("TensorRT-LLM would use the fallback tactic of its first runner, or tune");
    return answer;
  }

 private:
  static void read_metadata(JsonValue fields, const Path& path, Sheet& sheet, const Checks& checks) {
    for (const JsonValue field : fields) {
      if (field.name() == "device_name")
        sheet.device =
            checks.text(field, path / field.name(), limits::text_bytes).value_or(std::string_view());
      if (field.name() == "lib_version")
        if (const auto version = checks.text(field, path / field.name(), limits::text_bytes))
          sheet.libraries["tensorrt_llm"] = *version;
      if (field.name() != "device_capability") continue;
      std::vector<std::int64_t> numbers;
      for (const JsonValue number : field)
        if (number.is(JsonKind::integer)) numbers.push_back(number.integer());
      if (numbers.size() == 2) sheet.libraries[capability_label] = join(numbers, ".");
    }
  }

  static void read_row(JsonValue value, const Path& path, Sheet& sheet, const Checks& checks) {
    std::optional<Shape> key = read_cache_key(value.name());
    if (!key)
      return checks.notices().fault(value, path, "is not a key of TensorRT-LLM; only the file keeps it");
    if (!checks.is(value, JsonKind::object, path)) return;
    Row row;
    Parameters parameters;
    for (const JsonValue field : value) {
      if (field.name() == "runner_id" && field.is(JsonKind::integer) && field.integer() >= 0)
        parameters.insert_or_assign("runner_id", field.integer());
      if (field.name() == "tactic")
        if (std::optional<Parameter> tactic = tactic_in(field))
          parameters.insert_or_assign("tactic", *std::move(tactic));
      if (field.name() == "min_time" && field.is_number()) row.record = record_of(field.number() * ns_per_ms);
    }
    if (parameters.size() != 2)
      return checks.notices().fault(value, path, "has no runner_id and tactic; the row is left out");
    row.key = *std::move(key);
    row.parameters = std::move(parameters);
    row.place = {"cache_data", std::string(value.name())};
    sheet.rows.push_back(std::move(row));
  }
};

}  // namespace

const Format& tensorrt_llm() {
  static const TensorrtLlm format;
  return format;
}

}  // namespace adaptive::table::formats
