#include "formats/systems/sglang_grouped_gemm.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "formats/nearest.hpp"
#include "formats/systems/triton.hpp"
#include "formats/text/file_name.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr std::string_view documented_head = "grouped_gemm_config_";
constexpr std::string_view written_head = "grouped_gemm_configs_";
constexpr std::string_view block_head = "_block";

// Reads {hidden}_{dtype}[_b{experts}][_block128x128]. The dtype may contain '_', so the name is read from
// both ends.
bool read_shape(std::string_view name, Shape& fixed) {
  if (!name.ends_with(".json")) return false;
  name.remove_suffix(5);
  if (name.starts_with(written_head))
    name.remove_prefix(written_head.size());
  else if (name.starts_with(documented_head))
    name.remove_prefix(documented_head.size());
  else
    return false;
  const std::size_t underscore = name.find('_');
  const std::optional<std::int64_t> hidden = parse_size(name.substr(0, underscore));
  if (!hidden || underscore == std::string_view::npos) return false;
  name.remove_prefix(underscore + 1);

  fixed = {{"hidden_size", *hidden}, {"experts", std::int64_t{0}}, {"block_shape", "none"}};
  if (const std::size_t at = name.rfind(block_head); at != std::string_view::npos) {
    const auto block = parse_list(name.substr(at + block_head.size()));
    if (!block) return false;
    fixed["block_shape"] = join(*block, "x");
    name = name.substr(0, at);
  }
  if (const std::size_t at = name.rfind("_b"); at != std::string_view::npos) {
    if (const std::optional<std::int64_t> experts = parse_size(name.substr(at + 2))) {
      fixed["experts"] = *experts;
      name = name.substr(0, at);
    }
  }
  fixed["dtype"] = name;
  return !name.empty();
}

class SglangGroupedGemm final : public Format {
 public:
  std::string_view name() const noexcept override { return "sglang-grouped-gemm"; }
  std::string_view system() const noexcept override { return "sglang"; }
  std::string_view what() const noexcept override { return "a grouped GEMM configuration of a SGLang fork"; }

  std::span<const OperationShape> operations() const noexcept override {
    static const std::array<OperationShape, 1> all = {
        {{"grouped_gemm_triton",
          {size_dimension("m"), size_dimension("hidden_size"), size_dimension("experts"),
           label_dimension("dtype", {}), label_dimension("block_shape", {"none"})}}}};
    return all;
  }

  bool recognises_path(std::string_view path) const override {
    Shape ignored;
    return read_shape(path.substr(path.rfind('/') + 1), ignored);
  }
  // The rows look like those of the other Triton kernels; only the name distinguishes them.
  bool recognises_member(JsonValue) const override { return false; }

  void read(const Document& document, Sheet& sheet, const Checks& checks) const override {
    sheet.operation = "grouped_gemm_triton";
    if (!read_shape(sheet.file_name(), sheet.fixed)) {
      sheet.fixed = {{"hidden_size", std::int64_t{0}},
                     {"experts", std::int64_t{0}},
                     {"dtype", "none"},
                     {"block_shape", "none"}};
      checks.notices().fault(0, Path{},
                             "the file's name does not contain the hidden size and the dtype; 0 and none are "
                             "used for them");
    }
    read_triton_rows(document, sheet, checks, "m");
  }

  std::string path_of(const Sheet& sheet) const override {
    const std::int64_t experts = size_in(sheet.fixed, "experts").value_or(0);
    const std::string block = label_in(sheet.fixed, "block_shape");
    std::string path(experts > 0 ? written_head : documented_head);
    path += std::to_string(size_in(sheet.fixed, "hidden_size").value_or(0)) + "_" +
            device_in_file_name(label_in(sheet.fixed, "dtype"));
    if (experts > 0) path += "_b" + std::to_string(experts);
    if (const auto values = parse_list(block)) path += std::string(block_head) + join(*values, "x");
    return path + ".json";
  }

  std::string empty_document(const Sheet&) const override { return "{}"; }

  std::vector<Edit> edits(const Row& row, const Row* old) const override {
    const MemberPath place =
        old != nullptr ? old->place : MemberPath{std::to_string(size_in(row.key, "m").value_or(0))};
    return {{place, print_triton_row(row)}};
  }

  bool varies(std::string_view, std::string_view dimension) const override { return dimension == "m"; }

  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const override {
    for (const Sheet* sheet : sheets) {
      if (!fits(*sheet, question.key)) continue;
      if (const Row* row = nearest_row(*sheet, question.key, "m")) {
        Answer answer = answer_of(*sheet, *row, question.key);
        if (!row->parameters)
          answer.warnings.push_back("the row of " + row->place.front() + " in " + sheet->path +
                                    " is null: every variant failed when it was tuned");
        return answer;
      }
    }
    Answer answer;
    answer.warnings.push_back("there is no file for " + print(question.key));
    return answer;
  }
};

}  // namespace

const Format& sglang_grouped_gemm() {
  static const SglangGroupedGemm format;
  return format;
}

}  // namespace adaptive::table::formats
