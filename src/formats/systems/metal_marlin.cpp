#include "formats/systems/metal_marlin.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "formats/nearest.hpp"
#include "formats/text/document.hpp"
#include "formats/text/file_name.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr std::array<std::string_view, 6> metal_row_order = {"kernel_name", "tile_size_m",  "tile_size_n",
                                                             "simdgroups",  "use_fp32_acc", "kernel_variant"};

// "(4, 2)" becomes "2+4".
std::optional<std::string> bits_label(std::string_view text) {
  auto bits = parse_list(text);
  if (!bits) return std::nullopt;
  std::sort(bits->begin(), bits->end());
  bits->erase(std::unique(bits->begin(), bits->end()), bits->end());
  return join(*bits, "+");
}

// The nearest value; ties go to the smaller one.
template <class Wanted>
std::optional<std::int64_t> nearest(const Sheet& sheet, const std::string& dimension, std::int64_t to,
                                    Wanted&& wanted) {
  std::optional<std::int64_t> best;
  for (const Row& row : sheet.rows) {
    const std::optional<std::int64_t> size = size_in(row.key, dimension);
    if (!size || !wanted(row)) continue;
    const std::int64_t a = std::abs(*size - to);
    const std::int64_t b = best ? std::abs(*best - to) : 0;
    if (!best || a < b || (a == b && *size < *best)) best = *size;
  }
  return best;
}

class MetalMarlin final : public Format {
 public:
  std::string_view name() const noexcept override { return "metal-marlin"; }
  std::string_view what() const noexcept override { return "a Metal Marlin table"; }

  std::span<const OperationShape> operations() const noexcept override {
    static const std::array<OperationShape, 1> all = {
        {{"metal_marlin_mixed_bpw",
          {size_dimension("batch"), size_dimension("hidden"), set_dimension("bits", {"2", "3", "4", "8"})}}}};
    return all;
  }

  bool recognises_path(std::string_view path) const override {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    return name.starts_with("autotune_mixed_bpw") && name.ends_with(".json");
  }
  bool recognises_member(JsonValue member) const override {
    return member.name() == "tile_size_mapping" || member.name() == "simdgroup_mapping" ||
           member.name() == "lookup_table";
  }

  void read(const Document& document, Sheet& sheet, const Checks& checks) const override {
    sheet.operation = "metal_marlin_mixed_bpw";
    const Path root;
    document.for_each_member([&](JsonValue member) {
      const Path path = root / member.name();
      if (member.name() == "device_name")
        sheet.device = checks.text(member, path, device_bytes_max).value_or(std::string_view());
      else if (member.name() == "lookup_table" && checks.is(member, JsonKind::object, path))
        read_table(member, path, sheet, checks);
      else if (member.name() == "tile_size_mapping" && checks.is(member, JsonKind::object, path))
        read_mapping(member, path, sheet, checks, {"tile_size_m", "tile_size_n"});
      else if (member.name() == "simdgroup_mapping" && checks.is(member, JsonKind::object, path))
        read_mapping(member, path, sheet, checks, {"simdgroups"});
      // The other members say how the row was tuned; the file keeps them.
    });
  }

  std::string path_of(const Sheet& sheet) const override {
    std::string device = device_in_file_name(sheet.device);
    for (char& c : device)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return "autotune_mixed_bpw" + (device.empty() ? std::string() : "_" + device) + ".json";
  }

  std::string empty_document(const Sheet& sheet) const override {
    const std::string family = sheet.device.substr(0, sheet.device.find(' '));
    return "{\"device_name\": " + print_json(sheet.device) + ", \"device_family\": " + print_json(family) +
           ", \"tile_size_mapping\": {}, \"simdgroup_mapping\": {}, \"lookup_table\": {}}";
  }

  std::vector<Edit> edits(const Row& row, const Row* old) const override {
    if (!row.parameters) return {};
    const auto size = [&](const char* name) { return std::to_string(size_in(row.key, name).value_or(0)); };
    std::string bits = label_in(row.key, "bits");
    std::replace(bits.begin(), bits.end(), '+', ',');  // as the system's code writes bits
    const MemberPath place =
        old != nullptr ? old->place : MemberPath{"lookup_table", size("batch"), size("hidden"), bits};
    return {{place, print_json(*row.parameters, metal_row_order)}};
  }

  bool varies(std::string_view, std::string_view) const override { return true; }

  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const override {
    Answer answer;
    for (const Sheet* sheet : sheets) {
      if (const Row* row = found(*sheet, question.key)) return answer_of(*sheet, *row, question.key);
      if (!answer.parameters) answer.parameters = default_of(*sheet, label_in(question.key, "bits"));
    }
    return answer;
  }

 private:
  static constexpr std::size_t device_bytes_max = 1024;

  static void read_table(JsonValue table, const Path& path, Sheet& sheet, const Checks& checks) {
    for (const JsonValue of_batch : table) {
      const Path batch_path = path / of_batch.name();
      const std::optional<std::int64_t> batch = size_of(of_batch, batch_path, checks);
      if (!batch) continue;
      for (const JsonValue of_hidden : of_batch) {
        const Path hidden_path = batch_path / of_hidden.name();
        const std::optional<std::int64_t> hidden = size_of(of_hidden, hidden_path, checks);
        if (!hidden) continue;
        for (const JsonValue config : of_hidden)
          read_row(config, hidden_path / config.name(), *batch, *hidden, sheet, checks,
                   {"lookup_table", std::string(of_batch.name()), std::string(of_hidden.name()),
                    std::string(config.name())});
      }
    }
  }

  static std::optional<std::int64_t> size_of(JsonValue member, const Path& path, const Checks& checks) {
    const std::optional<std::int64_t> size = parse_size(member.name());
    if (!size) checks.notices().fault(member, path, "is not a size; its content is left out");
    if (!checks.is(member, JsonKind::object, path)) return std::nullopt;
    return size;
  }

  static void read_row(JsonValue config, const Path& path, std::int64_t batch, std::int64_t hidden,
                       Sheet& sheet, const Checks& checks, MemberPath place) {
    const std::optional<std::string> bits = bits_label(config.name());
    if (!bits) return checks.notices().fault(config, path, "are not bit widths; the row is left out");
    Row row;
    row.key = {{"batch", batch}, {"hidden", hidden}, {"bits", *bits}};
    row.place = std::move(place);
    if (!config.is(JsonKind::null)) {
      if (!checks.is(config, JsonKind::object, path)) return;
      row.parameters = read_tiles(config, path, checks);
      if (!row.parameters) return;
    }
    sheet.rows.push_back(std::move(row));
  }

  static void read_mapping(JsonValue mapping, const Path& path, Sheet& sheet, const Checks& checks,
                           std::initializer_list<const char*> names) {
    for (const JsonValue member : mapping)
      if (const auto size = checks.integer(member, path / member.name()))
        for (const char* name : names) sheet.defaults[std::string(member.name())][name] = *size;
  }

  static const Row* found(const Sheet& sheet, Shape key) {
    if (const Row* exact = find_row(sheet, key)) return exact;
    const auto batch =
        nearest(sheet, "batch", size_in(key, "batch").value_or(0), [](const Row&) { return true; });
    if (!batch) return nullptr;
    key["batch"] = *batch;
    if (const Row* row = find_row(sheet, key)) return row;
    const auto hidden = nearest(sheet, "hidden", size_in(key, "hidden").value_or(0),
                                [&](const Row& row) { return size_in(row.key, "batch") == batch; });
    if (!hidden) return nullptr;
    key["hidden"] = *hidden;
    return find_row(sheet, key);
  }

  static std::optional<Parameters> default_of(const Sheet& sheet, const std::string& bits) {
    const auto at = sheet.defaults.find(bits.substr(0, bits.find('+')));  // the smallest width comes first
    return at == sheet.defaults.end() ? std::nullopt : std::optional(at->second);
  }
};

}  // namespace

const Format& metal_marlin() {
  static const MetalMarlin format;
  return format;
}

}  // namespace adaptive::table::formats
