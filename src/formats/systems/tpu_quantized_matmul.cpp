// tuned_data/quantized_matmul/tpu_v6e.json: "batch,out,in,x_dtype,w_dtype" → [b, o, i], [b, o, i, n_lane], or
// an object.
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "formats/nearest.hpp"
#include "formats/systems/tpu.hpp"
#include "formats/text/document.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr std::array<std::string_view, 4> blocks = {"batch_block_size", "out_block_size", "in_block_size",
                                                    "n_lane"};
constexpr std::size_t blocks_required = 3;
constexpr std::array<const char*, 5> dimensions = {"batch", "out", "in", "x_dtype", "w_dtype"};
// From tpu_inference/kernels/quantized_matmul/tuned_block_sizes.py.
constexpr std::int64_t default_block = 128;

std::optional<Shape> read_key(std::string_view text) {
  Shape key;
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    const bool last = i + 1 == dimensions.size();
    const std::size_t comma = text.find(',');
    if ((comma == std::string_view::npos) != last) return std::nullopt;
    const std::string_view part = text.substr(0, comma);
    if (part.empty()) return std::nullopt;
    if (i < 3) {
      const std::optional<std::int64_t> size = parse_size(part);
      if (!size) return std::nullopt;
      key.emplace(dimensions[i], *size);
    } else {
      key.emplace(dimensions[i], part);
    }
    if (!last) text.remove_prefix(comma + 1);
  }
  return key;
}

std::string print_key(const Shape& key) {
  std::string text;
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    if (i > 0) text += ',';
    text += i < 3 ? std::to_string(size_in(key, dimensions[i]).value_or(0)) : label_in(key, dimensions[i]);
  }
  return text;
}

class QuantizedMatmul final : public Format {
 public:
  std::string_view name() const noexcept override { return "tpu-inference-quantized-matmul"; }
  std::string_view system() const noexcept override { return "tpu-inference"; }
  std::string_view what() const noexcept override { return "a tpu-inference matmul table"; }

  std::span<const OperationShape> operations() const noexcept override {
    static const std::array<OperationShape, 1> all = {
        {{"quantized_matmul",
          {size_dimension("batch"), size_dimension("out"), size_dimension("in"),
           label_dimension("x_dtype", {}), label_dimension("w_dtype", {})}}}};
    return all;
  }

  bool recognises_path(std::string_view path) const override {
    return path.find("quantized_matmul/tpu") != std::string_view::npos && path.ends_with(".json");
  }
  bool recognises_member(JsonValue member) const override { return read_key(member.name()).has_value(); }

  void read(const Document& document, Sheet& sheet, const Checks& checks) const override {
    sheet.operation = "quantized_matmul";
    sheet.device = tpu_device(sheet.file_name());
    const Path root;
    document.for_each_member([&](JsonValue member) {
      const Path path = root / member.name();
      std::optional<Shape> key = read_key(member.name());
      if (!key)
        return checks.notices().fault(
            member, path, "is not of the form \"batch,out,in,x_dtype,w_dtype\"; only the file keeps it");
      Row row;
      row.key = *std::move(key);
      row.place = {std::string(member.name())};
      row.list = member.is(JsonKind::list);
      if (read_tpu_value(member, path, checks, blocks, blocks_required, row))
        sheet.rows.push_back(std::move(row));
    });
  }

  std::string path_of(const Sheet& sheet) const override {
    return "quantized_matmul/" + tpu_file_name(sheet.device);
  }
  std::string why_not_found(const Sheet& sheet) const override { return tpu_not_found(sheet); }
  std::string empty_document(const Sheet&) const override { return "{}"; }
  std::vector<Edit> edits(const Row& row, const Row* old) const override {
    return tpu_edits(row, old, old != nullptr ? old->place : MemberPath{print_key(row.key)}, blocks,
                     blocks_required);
  }
  bool stores_latency() const noexcept override { return true; }
  bool varies(std::string_view, std::string_view) const override { return true; }

  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const override {
    for (const Sheet* sheet : newest_first(sheets))
      if (const Row* row = find_row(*sheet, question.key)) return answer_of(*sheet, *row, question.key);
    Answer answer = tpu_not_found(print_key(question.key));
    answer.parameters.emplace();
    for (std::size_t i = 0; i < blocks_required; ++i) answer.parameters->emplace(blocks[i], default_block);
    return answer;
  }

  bool supports(const Shape& key, const Parameters& parameters) const override {
    return doubts(key, parameters).empty();
  }
  std::vector<std::string> doubts(const Shape& key, const Parameters& parameters) const override {
    std::vector<std::string> doubts;
    if (auto doubt = indivisible(key, "out", parameters, "out_block_size"))
      doubts.push_back(*std::move(doubt));
    if (auto doubt = indivisible(key, "in", parameters, "in_block_size")) doubts.push_back(*std::move(doubt));
    return doubts;
  }
};

}  // namespace

const Format& tpu_quantized_matmul() {
  static const QuantizedMatmul format;
  return format;
}

}  // namespace adaptive::table::formats
