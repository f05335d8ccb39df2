#include "formats/systems/triton.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include <adaptive/error.hpp>

#include "base/limits.hpp"
#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "formats/text/document.hpp"
#include "formats/text/file_name.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr std::array<std::string_view, 7> triton_row_order = {
    "BLOCK_SIZE_M", "BLOCK_SIZE_N", "BLOCK_SIZE_K", "GROUP_SIZE_M", "SPLIT_K", "num_warps", "num_stages"};

constexpr std::string_view down_suffix = "_down";

constexpr const char* state_update = "selective_state_update";  // of Mamba

// The two products of a fused MoE, where a row has a configuration for each.
constexpr std::array<std::string_view, 2> gemms = {"best_gemm1", "best_gemm2"};

bool is_fused_moe(const Sheet& sheet) {
  return sheet.operation == "fused_moe";
}

// "[128, 128]" becomes "128x128"; other texts are not changed.
std::string block_label(const std::string& text) {
  const auto values = parse_list(text);
  return values ? join(*values, "x") : text;
}

// Reads the name of a file. Returns false if it does not consist of fields.
bool read_kernel_name(std::string_view stem, Sheet& sheet) {
  std::string projection = "up";
  if (stem.ends_with(down_suffix)) {
    projection = "down";
    stem.remove_suffix(down_suffix.size());
  }
  const auto fields = parse_fields(stem);
  if (!fields) return false;
  std::string other;
  for (const auto& [name, value] : *fields) {
    const std::optional<std::int64_t> size = parse_size(value);
    if ((name == "E" || name == "N" || name == "K" || name == "headdim" || name == "dstate") && size)
      sheet.fixed[name] = *size;
    else if (name == "device_name")
      sheet.device = value;
    else if (name == "dtype" && !value.empty())
      sheet.fixed["dtype"] = value;
    else if (name == "block_shape" && !value.empty())
      sheet.fixed["block_shape"] = block_label(value);
    else if ((name == "per_channel_quant" || name == "backend" || name == "cache_dtype") && !value.empty())
      sheet.fixed[name] = value;
    else
      other.append(other.empty() ? "" : ",").append(name).append("=").append(value);
  }
  if (sheet.fixed.contains("headdim"))
    sheet.operation = state_update;
  else
    sheet.operation =
        sheet.fixed.contains("K") && !sheet.fixed.contains("E") ? "w8a8_block_matmul" : "fused_moe";
  if (is_fused_moe(sheet)) sheet.fixed["projection"] = projection;
  if (!other.empty()) sheet.fixed["other"] = other;
  return true;
}

// Other kernels have rows of the same kind, and their files lie in the same folders.
void refuse_other_kernels(std::string_view file_name, const Document& document) {
  constexpr std::array<std::string_view, 4> kernels = {"causal_conv1d", "silu_and_mul",
                                                       "selective_state_update", "update_sconv_cache"};
  std::string kernel;
  for (const std::string_view name : kernels)
    if (file_name.starts_with(name)) kernel = name;
  if (!kernel.empty())
    throw Error(ErrorCode::unsupported,
                "is a configuration of " + kernel + ", which is neither a fused MoE nor a block matmul",
                document.source().name());
}

bool is_gemm(JsonValue field) {
  return std::ranges::find(gemms, field.name()) != gemms.end() && field.is(JsonKind::object);
}

bool has_gemms(JsonValue row) {
  for (const JsonValue field : row)
    if (is_gemm(field)) return true;
  return false;
}

// The parameters of a row. Those of the configuration of one product are named "best_gemm1.BLOCK_SIZE_M".
std::optional<Parameters> read_row_parameters(JsonValue row, const Path& path, const Checks& checks) {
  if (!has_gemms(row)) return read_tiles(row, path, checks);
  Parameters parameters;
  for (const JsonValue field : row) {
    const Path here = path / field.name();
    if (!is_gemm(field)) {
      checks.notices().fault(field, here,
                             "stands beside the configurations of two products; only the file keeps it");
      continue;
    }
    const std::optional<Parameters> of_product = read_tiles(field, here, checks);
    if (!of_product) return std::nullopt;
    for (const auto& [name, value] : *of_product) {
      const std::string whole = std::string(field.name()) + "." + name;
      if (whole.size() <= limits::name_bytes) parameters.insert_or_assign(whole, value);
    }
  }
  return parameters;
}

std::string print_row_parameters(const Parameters& parameters, std::span<const std::string_view> order) {
  std::string products;
  Parameters others = parameters;
  for (const std::string_view gemm : gemms) {
    const std::string head = std::string(gemm) + ".";
    Parameters own;
    for (const auto& [name, value] : parameters)
      if (name.starts_with(head) && others.erase(name) > 0) own.emplace(name.substr(head.size()), value);
    if (own.empty()) continue;
    products += (products.empty() ? "" : ", ") + print_json(Parameter(gemm)) + ": " + print_json(own, order);
  }
  if (products.empty()) return print_json(parameters, order);
  std::string text = print_json(others, order);
  text.pop_back();
  return text + (others.empty() ? "" : ", ") + products + "}";
}

std::string_view stem_of(std::string_view file_name) {
  if (file_name.ends_with(".json")) file_name.remove_suffix(5);
  return file_name;
}

}  // namespace

bool is_triton_row(JsonValue member) {
  if (!parse_size(member.name()) || !member.is(JsonKind::object)) return false;
  for (const JsonValue field : member)
    if (field.name().starts_with("BLOCK_SIZE_") || is_gemm(field)) return true;
  return false;
}

void read_triton_rows(const Document& document, Sheet& sheet, const Checks& checks,
                      std::string_view dimension) {
  document.for_each_member([&](JsonValue member) {
    const Path root;
    const Path path = root / member.name();
    const std::optional<std::int64_t> size = parse_size(member.name());
    if (!size) {
      // The version of the compiler is a member beside the rows.
      if (member.name() == "triton_version" && member.is(JsonKind::text))
        sheet.libraries["triton"] =
            checks.text(member, path, limits::text_bytes).value_or(std::string_view());
      else if (member.name() == "default")
        checks.notices().fault(
            member, path,
            "is not a number of tokens, so the systems cannot read the file; the row is left out");
      else
        checks.notices().unknown_field(member, root, "a configuration; the file keeps it");
      return;
    }
    Row row;
    row.key.emplace(dimension, *size);
    row.place = {std::string(member.name())};
    if (!member.is(JsonKind::null)) {
      if (!checks.is(member, JsonKind::object, path)) return;
      row.parameters = read_row_parameters(member, path, checks);
      if (!row.parameters) return;
      if (row.parameters->empty()) {
        checks.notices().fault(member, path, "has no parameters; the row is left out");
        return;
      }
    }
    sheet.rows.push_back(std::move(row));
  });
}

std::string print_triton_row(const Row& row) {
  return row.parameters ? print_row_parameters(*row.parameters, triton_row_order) : "null";
}

std::span<const OperationShape> TritonFormat::operations() const noexcept {
  static const std::array<OperationShape, 3> all = {
      {{"fused_moe",
        {size_dimension("m"), size_dimension("E"), size_dimension("N"), label_dimension("dtype", {"none"}),
         label_dimension("block_shape", {"none"}), label_dimension("per_channel_quant", {"False", "True"}),
         label_dimension("projection", {"up", "down"})}},
       {"w8a8_block_matmul",
        {size_dimension("m"), size_dimension("N"), size_dimension("K"), label_dimension("dtype", {"none"}),
         label_dimension("block_shape", {"none"})}},
       {state_update,
        {size_dimension("m"), size_dimension("headdim"), size_dimension("dstate"),
         label_dimension("cache_dtype", {"none"})}}}};
  return all;
}

std::span<const NamedVersion> TritonFormat::versions() const noexcept {
  static constexpr std::array<NamedVersion, 1> all = {{{"triton_version", "triton"}}};
  return all;
}

void TritonFormat::read(const Document& document, Sheet& sheet, const Checks& checks) const {
  refuse_other_kernels(sheet.file_name(), document);
  if (!read_kernel_name(stem_of(sheet.file_name()), sheet)) {
    sheet.operation = "fused_moe";
    checks.notices().fault(0, Path{},
                           "the file's name does not contain E, N and device_name, so no runtime looks for "
                           "it; 0 is used for the sizes");
  }
  read_triton_rows(document, sheet, checks, "m");
}

std::string TritonFormat::path_of(const Sheet& sheet) const {
  const auto size = [&](const std::string& name) {
    return name + "=" + std::to_string(size_in(sheet.fixed, name).value_or(0));
  };
  const auto label = [&](const std::string& name) {
    const std::string value = label_in(sheet.fixed, name);
    return value.empty() || value == "none" ? std::string() : "," + name + "=" + value;
  };
  const bool is_state_update = sheet.operation == state_update;
  std::string name = is_state_update       ? size("headdim") + "," + size("dstate")
                     : is_fused_moe(sheet) ? size("E") + "," + size("N")
                                           : size("N") + "," + size("K");
  name += ",device_name=" + device_in_names(sheet.device) + label(is_state_update ? "cache_dtype" : "dtype");
  const std::string block = label_in(sheet.fixed, "block_shape");
  // A block shape that contains 0 means that there is none.
  if (const auto values = parse_list(block); values && std::count(values->begin(), values->end(), 0) == 0)
    name += ",block_shape=[" + join(*values, block_separator()) + "]";
  if (label_in(sheet.fixed, "per_channel_quant") == "True") name += ",per_channel_quant=True";
  name += label("backend");
  const std::string other = label_in(sheet.fixed, "other");
  if (!other.empty() && other != "none") name += "," + other;
  if (label_in(sheet.fixed, "projection") == "down") name += down_suffix;
  return folder_of(sheet) + name + ".json";
}

std::vector<Edit> TritonFormat::edits(const Row& row, const Row* old) const {
  const MemberPath place =
      old != nullptr ? old->place : MemberPath{std::to_string(size_in(row.key, "m").value_or(0))};
  return {{place, print_triton_row(row)}};
}

// Engines leave out the type of weights that are not quantised, and a block without an extent.
std::string TritonFormat::label_in_names(std::string_view dimension, const std::string& label) const {
  if (dimension == "cache_dtype") return label.empty() ? std::string(no_label) : label;
  constexpr std::array<std::string_view, 7> plain = {"",     "None",          "float16",       "bfloat16",
                                                     "half", "torch.float16", "torch.bfloat16"};
  if (std::ranges::find(plain, label) != plain.end()) return std::string(no_label);
  if (dimension != "block_shape") return label;
  const auto values = parse_list(label);
  return values && std::count(values->begin(), values->end(), 0) > 0 ? std::string(no_label) : label;
}

std::optional<Sheet> TritonFormat::read_path(std::string_view path) const {
  Sheet sheet;
  sheet.format = this;
  sheet.path = path;
  if (!read_kernel_name(stem_of(sheet.file_name()), sheet)) return std::nullopt;
  return sheet;
}

// These two choose another kernel; the runtime takes them out before it launches this one.
std::string TritonFormat::print_parameters(const Parameters& parameters) const {
  Parameters launched = parameters;
  launched.erase("USE_BLOCKWISE_FP8_MOE");
  launched.erase("BLOCKWISE_FP8_MOE_CONFIG");
  return print_row_parameters(launched, {});
}

std::vector<std::string> TritonFormat::doubts(const Shape& key, const Parameters& parameters) const {
  std::vector<std::string> doubts;
  const auto block = parse_list(label_in(key, "block_shape"));
  const std::optional<std::int64_t> tile_k = size_in(parameters, "BLOCK_SIZE_K");
  if (block && block->size() == 2 && tile_k && *tile_k > 0 && (*block)[1] > 0) {
    const std::int64_t k = (*block)[1];
    if (*tile_k < k)
      doubts.push_back("BLOCK_SIZE_K=" + std::to_string(*tile_k) + " is below the quantisation block of " +
                       std::to_string(k));
    else if (*tile_k % k != 0)
      doubts.push_back("BLOCK_SIZE_K=" + std::to_string(*tile_k) +
                       " is not a multiple of the quantisation block of " + std::to_string(k));
  }
  if (auto doubt = indivisible(key, "N", parameters, "BLOCK_SIZE_N"))
    doubts.push_back(*std::move(doubt) + ": the last tile is partly idle");
  return doubts;
}

Answer TritonFormat::not_found(std::span<const Sheet* const> sheets, const Question& question) const {
  Sheet wanted;
  wanted.operation = question.operation;
  wanted.fixed = question.key;
  wanted.device = question.device;
  if (wanted.device.empty() && !sheets.empty()) wanted.device = sheets.front()->device;
  Answer answer;
  if (question.operation == state_update) {
    answer.warnings.push_back("there is no file " + path_of(wanted));
    return answer;
  }
  answer.warnings.push_back(
      "Using default MoE config. Performance might be sub-optimal! Config file not found at " +
      path_of(wanted));
  return answer;
}

Answer TritonFormat::nearest_in(const Sheet& sheet, const Question& question) const {
  const Row* const row = nearest_row(sheet, question.key, "m");
  if (row == nullptr) {
    Answer answer;
    answer.warnings.push_back(sheet.path + " has no rows");
    return answer;
  }
  Answer answer = answer_of(sheet, *row, question.key);
  if (!row->parameters)
    answer.warnings.push_back("the row of " + row->place.front() + " in " + sheet.path +
                              " is null: every variant failed when it was tuned");
  return answer;
}

}  // namespace adaptive::table::formats
