// tuned_data/ragged_paged_attention/v3/tpu_v6e.json: page size → q_{dtype}_kv_{dtype} →
// q_head-{n}_kv_head-{n}_head-{n} → max_model_len-{n}-sw-{n or None} → [kv pages, queries] or an object.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <string>

#include "formats/nearest.hpp"
#include "formats/systems/tpu.hpp"
#include "formats/text/document.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr std::array<std::string_view, 2> page_blocks = {"num_kv_pages_per_block", "num_q_per_block"};

// Removes `head` and the text before `end` from the beginning of `text`, and returns the latter. If `end` is
// empty, takes the whole rest.
std::optional<std::string_view> take_between(std::string_view& text, std::string_view head,
                                             std::string_view end) {
  if (!text.starts_with(head)) return std::nullopt;
  text.remove_prefix(head.size());
  const std::size_t size = end.empty() ? text.size() : text.find(end);
  if (size == std::string_view::npos || size == 0) return std::nullopt;
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

bool take_size(std::string_view& text, std::string_view head, std::string_view end, const char* dimension,
               Shape& key) {
  const auto taken = take_between(text, head, end);
  const auto size = taken ? parse_size(*taken) : std::nullopt;
  if (size) key[dimension] = *size;
  return size.has_value();
}

bool take_label(std::string_view& text, std::string_view head, std::string_view end, const char* dimension,
                Shape& key) {
  const auto taken = take_between(text, head, end);
  if (taken) key[dimension] = Parameter(*taken);
  return taken.has_value();
}

// Each level of the document adds dimensions.
bool read_page(std::string_view text, Shape& key) {
  return take_size(text, "", "", "page_size", key);
}
bool read_types(std::string_view text, Shape& key) {
  return take_label(text, "q_", "_kv_", "q_dtype", key) && take_label(text, "_kv_", "", "kv_dtype", key);
}
bool read_heads(std::string_view text, Shape& key) {
  return take_size(text, "q_head-", "_", "q_heads", key) &&
         take_size(text, "_kv_head-", "_", "kv_heads", key) && take_size(text, "_head-", "", "head_dim", key);
}
bool read_length(std::string_view text, Shape& key) {
  return take_size(text, "max_model_len-", "-", "max_model_len", key) &&
         take_label(text, "-sw-", "", "sliding_window", key);
}

struct Level {
  bool (*read)(std::string_view, Shape&);
  const char* what;
};
constexpr std::array<Level, 4> levels = {{{read_page, "page size"},
                                          {read_types, "q_…_kv_…"},
                                          {read_heads, "q_head-…_kv_head-…_head-…"},
                                          {read_length, "max_model_len-…-sw-…"}}};

MemberPath place_of(const Shape& key) {
  const auto size = [&](const char* name) { return std::to_string(size_in(key, name).value_or(0)); };
  return {size("page_size"), "q_" + label_in(key, "q_dtype") + "_kv_" + label_in(key, "kv_dtype"),
          "q_head-" + size("q_heads") + "_kv_head-" + size("kv_heads") + "_head-" + size("head_dim"),
          "max_model_len-" + size("max_model_len") + "-sw-" + label_in(key, "sliding_window")};
}

std::int64_t rounded(std::int64_t size) {
  return static_cast<std::int64_t>(
      std::bit_ceil(static_cast<std::uint64_t>(std::max<std::int64_t>(size, 1))));
}

// The number of values of a type that fit in 32 bits.
std::int64_t packing(const std::string& dtype) {
  for (const auto& [bits, packed] : {std::pair{"32", 1}, {"16", 2}, {"8", 4}, {"4", 8}}) {
    const std::size_t digit = dtype.find_first_of("0123456789");
    if (digit != std::string::npos && dtype.substr(digit).starts_with(bits)) return packed;
  }
  return 1;
}

std::int64_t aligned(std::int64_t size, std::int64_t to) {
  return (size + to - 1) / to * to;
}

// The keys under which the kernel's registry may keep a launch: page size, heads and length rounded up to
// powers of two; and the same with the heads padded to the packing of the types, as the kernel stores them.
std::array<Shape, 2> keys_of(const Shape& key) {
  Shape plain = key;
  for (const char* dimension : {"page_size", "q_heads", "kv_heads", "max_model_len"})
    if (const auto size = size_in(key, dimension)) plain[dimension] = rounded(*size);
  Shape packed = plain;
  const std::int64_t q_heads = size_in(key, "q_heads").value_or(0);
  const std::int64_t kv_heads = size_in(key, "kv_heads").value_or(0);
  if (q_heads > 0 && kv_heads > 0 && q_heads % kv_heads == 0) {
    packed["q_heads"] = rounded(aligned(q_heads / kv_heads, packing(label_in(key, "q_dtype"))) * kv_heads);
    packed["kv_heads"] = rounded(aligned(2 * kv_heads, packing(label_in(key, "kv_dtype")))) / 2;
  }
  packed["head_dim"] = aligned(size_in(key, "head_dim").value_or(0), 128);
  return {plain, packed};
}

class RaggedPagedAttention final : public Format {
 public:
  std::string_view name() const noexcept override { return "tpu-inference-ragged-paged-attention"; }
  std::string_view system() const noexcept override { return "tpu-inference"; }
  std::string_view what() const noexcept override { return "a tpu-inference attention table"; }

  std::span<const OperationShape> operations() const noexcept override {
    const auto rounding = [](const char* name) { return size_dimension(name, 1.0, Rounding::power_of_two); };
    static const std::array<OperationShape, 1> all = {
        {{"ragged_paged_attention",
          {rounding("page_size"), label_dimension("q_dtype", {}), label_dimension("kv_dtype", {}),
           rounding("q_heads"), rounding("kv_heads"), size_dimension("head_dim"), rounding("max_model_len"),
           label_dimension("sliding_window", {"None"})}}}};
    return all;
  }

  bool recognises_path(std::string_view path) const override {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    return path.find("ragged_paged_attention/") != std::string_view::npos && name.starts_with("tpu") &&
           name.ends_with(".json");
  }
  bool recognises_member(JsonValue member) const override {
    Shape ignored;
    if (!read_page(member.name(), ignored) || !member.is(JsonKind::object)) return false;
    for (const JsonValue inner : member)
      if (read_types(inner.name(), ignored)) return true;
    return false;
  }

  void read(const Document& document, Sheet& sheet, const Checks& checks) const override {
    sheet.operation = "ragged_paged_attention";
    sheet.device = tpu_device(sheet.file_name());
    const Path root;
    document.for_each_member([&](JsonValue member) { read_level(member, 0, root, {}, {}, sheet, checks); });
  }

  std::string path_of(const Sheet& sheet) const override {
    return "ragged_paged_attention/v3/" + tpu_file_name(sheet.device);
  }
  std::string why_not_found(const Sheet& sheet) const override { return tpu_not_found(sheet); }
  std::string empty_document(const Sheet&) const override { return "{}"; }
  std::vector<Edit> edits(const Row& row, const Row* old) const override {
    return tpu_edits(row, old, old != nullptr ? old->place : place_of(row.key), page_blocks,
                     page_blocks.size());
  }
  bool stores_latency() const noexcept override { return true; }
  bool varies(std::string_view, std::string_view) const override { return true; }

  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const override {
    for (const Shape& key : keys_of(question.key))
      for (const Sheet* sheet : newest_first(sheets))
        if (const Row* row = find_row(*sheet, key)) return answer_of(*sheet, *row, key);
    std::string key;
    for (const std::string& part : place_of(keys_of(question.key).front()))
      key += (key.empty() ? "" : ", ") + part;
    return tpu_not_found(key);
  }

 private:
  static void read_level(JsonValue member, std::size_t level, const Path& above, Shape key, MemberPath place,
                         Sheet& sheet, const Checks& checks) {
    const Path path = above / member.name();
    place.emplace_back(member.name());
    if (!levels[level].read(member.name(), key))
      return checks.notices().fault(
          member, path, "is not a " + std::string(levels[level].what) + "; only the file keeps it");
    if (level + 1 < levels.size()) {
      if (!checks.is(member, JsonKind::object, path)) return;
      for (const JsonValue inner : member) read_level(inner, level + 1, path, key, place, sheet, checks);
      return;
    }
    Row row;
    row.key = std::move(key);
    row.place = std::move(place);
    row.list = member.is(JsonKind::list);
    if (read_tpu_value(member, path, checks, page_blocks, page_blocks.size(), row))
      sheet.rows.push_back(std::move(row));
  }
};

}  // namespace

const Format& tpu_ragged_paged_attention() {
  static const RaggedPagedAttention format;
  return format;
}

}  // namespace adaptive::table::formats
