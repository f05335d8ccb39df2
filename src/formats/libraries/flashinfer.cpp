// FlashInfer's two caches of tactics. The first is one file:
//
//   {"_metadata": {"flashinfer_version": "0.6.1", "gpu_name": "NVIDIA B200", …},
//    "('fp4_gemm', 'CudnnRunner', ((16, 4096), (4096, 512)), ())": ["CudnnRunner", 3], …}
//
// The value may go on with the profiling policy and with {"time_ms", "runner_up_ms", "margin", "candidates"}.
// The second has a file for each key, v2/ENVIRONMENT/entries/HASH.json, with the members key, runner and
// tactic.
#include "formats/libraries/flashinfer.hpp"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>

#include "base/limits.hpp"
#include "formats/libraries/tactics.hpp"
#include "formats/nearest.hpp"
#include "formats/text/document.hpp"
#include "formats/text/measured.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr std::string_view no_extras = "none";
constexpr std::array<NamedVersion, 4> flashinfer_versions = {{{"flashinfer_version", "flashinfer"},
                                                              {"cuda_version", "cuda"},
                                                              {"cublas_version", "cublas"},
                                                              {"cudnn_version", "cudnn"}}};

std::string print_tactic_key(const Shape& key, const std::string& runner) {
  std::string text = "('" + label_in(key, "op") + "', '" + runner + "', " + print_shapes(key);
  if (const std::string extras = label_in(key, "extras"); extras != no_extras) text += ", " + extras;
  return text + ")";
}

// Nothing if the text is not a key that FlashInfer would print.
std::optional<Shape> read_tactic_key(std::string_view text) {
  const auto elements = tuple_elements(text);
  if (!elements || elements->size() < 3 || elements->size() > 4) return std::nullopt;
  const std::optional<std::string> operation = quoted_text((*elements)[0]);
  const std::optional<std::string> runner = quoted_text((*elements)[1]);
  if (!operation || !runner || operation->empty() || (*elements)[2].empty()) return std::nullopt;
  Shape key;
  key["op"] = *operation;
  read_shapes((*elements)[2], key);
  key["extras"] = elements->size() > 3 ? (*elements)[3] : std::string(no_extras);
  if (print_tactic_key(key, *runner) != text) return std::nullopt;
  return key;
}

Answer tactic_answer(std::span<const Sheet* const> sheets, const Question& question) {
  Answer answer = exact_answer(sheets, question.key);
  if (!answer.source.empty()) return answer;
  answer.parameters = Parameters{{"tactic", -1}};
  answer.warnings.emplace_back("FlashInfer would use the fallback tactic of its first runner, or tune");
  return answer;
}

class TacticFormat : public Format {
 public:
  std::string_view system() const noexcept final { return "flashinfer"; }
  std::span<const OperationShape> operations() const noexcept final {
    static const std::array<OperationShape, 1> all = {
        {{"flashinfer",
          {size_dimension("m"), label_dimension("op", {}), label_dimension("shapes", {}),
           label_dimension("extras", {std::string(no_extras)})}}}};
    return all;
  }
  bool may_be_zero(std::string_view) const noexcept final { return true; }
  bool varies(std::string_view, std::string_view) const final { return true; }
  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const final {
    return tactic_answer(sheets, question);
  }
};

class Flashinfer final : public TacticFormat {
 public:
  std::string_view name() const noexcept override { return "flashinfer"; }
  std::string_view what() const noexcept override { return "a cache of FlashInfer"; }
  std::span<const NamedVersion> versions() const noexcept override { return flashinfer_versions; }

  bool recognises_path(std::string_view) const override { return false; }
  bool recognises_member(JsonValue member) const override {
    if (member.name() != "_metadata") return member.is(JsonKind::list) && read_tactic_key(member.name());
    for (const JsonValue field : member)
      if (field.name() == "flashinfer_version" || field.name() == "flashinfer") return true;
    return false;
  }

  void read(const Document& document, Sheet& sheet, const Checks& checks) const override {
    sheet.operation = "flashinfer";
    document.for_each_member([&](JsonValue member) {
      const Path root;
      const Path path = root / member.name();
      if (member.name() == "_metadata" && checks.is(member, JsonKind::object, path))
        read_environment(member, path, sheet, checks);
      if (!member.name().starts_with('_')) read_row(member, path, sheet, checks);
    });
  }

  std::string path_of(const Sheet&) const override { return "flashinfer_autotune.json"; }
  std::string empty_document(const Sheet& sheet) const override {
    std::string environment;
    const auto add = [&](std::string_view name, const std::string& value) {
      if (value.empty()) return;
      environment += (environment.empty() ? "" : ", ") + print_json(Parameter(name)) + ": " +
                     print_json(Parameter(value));
    };
    for (const auto& [name, library] : flashinfer_versions)
      add(name, version_of(sheet, std::string(library)));
    add("gpu_name", sheet.device);
    return environment.empty() ? "{}" : "{\"_metadata\": {" + environment + "}}";
  }
  std::vector<Edit> edits(const Row& row, const Row* old) const override {
    if (!row.parameters) return {};
    const std::string runner = label_in(*row.parameters, "runner");
    const MemberPath place = old != nullptr ? old->place : MemberPath{print_tactic_key(row.key, runner)};
    return {{place, "[" + print_json(Parameter(runner)) + ", " + print_tactic(*row.parameters) + "]"}};
  }

 private:
  static void read_environment(JsonValue fields, const Path& path, Sheet& sheet, const Checks& checks) {
    for (const JsonValue field : fields) {
      if (!field.is(JsonKind::text)) continue;
      const auto text = checks.text(field, path / field.name(), limits::text_bytes);
      if (!text) continue;
      std::string_view library = field.name();
      if (library == "gpu_name" || library == "gpu") {
        sheet.device = *text;
      } else if (checks.name(library, field.offset(), path)) {
        if (library.ends_with("_version")) library.remove_suffix(std::string_view("_version").size());
        if (!library.empty()) sheet.libraries.insert_or_assign(std::string(library), std::string(*text));
      }
    }
  }

  static void read_row(JsonValue value, const Path& path, Sheet& sheet, const Checks& checks) {
    std::optional<Shape> key = read_tactic_key(value.name());
    if (!key)
      return checks.notices().fault(value, path, "is not a key of FlashInfer; only the file keeps it");
    if (!checks.is(value, JsonKind::list, path)) return;
    Row row;
    Parameters parameters;
    std::size_t index = 0;
    for (const JsonValue part : value) {
      if (index == 0 && part.is(JsonKind::text) && part.text().size() <= limits::text_bytes)
        parameters.emplace("runner", part.text());
      else if (index == 1)
        if (std::optional<Parameter> tactic = tactic_in(part))
          parameters.emplace("tactic", *std::move(tactic));
      for (const JsonValue field : part)
        if (part.is(JsonKind::object) && field.name() == "time_ms" && field.is_number())
          row.record = record_of(field.number() * ns_per_ms);
      ++index;
    }
    if (parameters.size() != 2)
      return checks.notices().fault(value, path,
                                    "does not begin with a runner and a tactic; the row is left out");
    row.key = *std::move(key);
    row.parameters = std::move(parameters);
    row.place = {std::string(value.name())};
    sheet.rows.push_back(std::move(row));
  }
};

class FlashinferEntries final : public TacticFormat {
 public:
  std::string_view name() const noexcept override { return "flashinfer-entries"; }
  std::string_view what() const noexcept override { return "an entry of FlashInfer's second cache"; }

  bool recognises_path(std::string_view) const override { return false; }
  bool recognises_member(JsonValue member) const override {
    return member.name() == "key_fields" || (member.name() == "tactic" && tactic_in(member));
  }

  void read(const Document& document, Sheet& sheet, const Checks& checks) const override {
    sheet.operation = "flashinfer";
    Row row;
    Parameters parameters;
    document.for_each_member([&](JsonValue member) {
      const Path root;
      const Path path = root / member.name();
      if (member.name() == "key") {
        if (const auto text = checks.text(member, path, limits::name_bytes)) {
          row.key = read_tactic_key(*text).value_or(Shape());
          if (row.key.empty()) checks.notices().fault(member, path, "is not a key of FlashInfer");
        }
      } else if (member.name() == "runner") {
        if (const auto text = checks.text(member, path, limits::text_bytes)) parameters["runner"] = *text;
      } else if (member.name() == "tactic") {
        if (std::optional<Parameter> tactic = tactic_in(member)) parameters["tactic"] = *std::move(tactic);
      }
    });
    if (row.key.empty() || parameters.size() != 2)
      return checks.notices().fault(0, Path{}, "needs a key, a runner and a tactic");
    row.parameters = std::move(parameters);
    sheet.rows.push_back(std::move(row));
  }

  std::string path_of(const Sheet&) const override { return "entry.json"; }
  std::string empty_document(const Sheet&) const override { return "{}"; }
  std::string_view why_not_made() const noexcept override {
    return "FlashInfer names the file of an entry by a hash that only it computes; use the format flashinfer";
  }
  std::vector<Edit> edits(const Row& row, const Row*) const override {
    if (!row.parameters) return {};
    return {{{"runner"}, print_json(Parameter(label_in(*row.parameters, "runner")))},
            {{"tactic"}, print_tactic(*row.parameters)}};
  }
};

}  // namespace

const Format& flashinfer() {
  static const Flashinfer format;
  return format;
}

const Format& flashinfer_entries() {
  static const FlashinferEntries format;
  return format;
}

}  // namespace adaptive::table::formats
