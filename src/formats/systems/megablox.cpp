#include "formats/systems/megablox.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "base/limits.hpp"
#include "formats/nearest.hpp"
#include "formats/text/document.hpp"
#include "formats/text/measured.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr std::array<std::string_view, 3> tiles = {"tm", "tk", "tn"};
// The dimension that each tile divides.
constexpr std::array<const char*, 3> cut = {"m", "k", "n"};
constexpr std::array<std::int64_t, 3> default_tiling = {512, 1024, 1024};
constexpr double reach = 0.5;

// Reads a name such as "m1024_k4096_n11008_g8.json".
std::optional<Shape> shape_in_name(std::string_view name) {
  if (!name.ends_with(".json")) return std::nullopt;
  name.remove_suffix(5);
  Shape shape;
  for (const std::string_view dimension : {"m", "k", "n", "g"}) {
    if (!name.starts_with(dimension)) return std::nullopt;
    const std::size_t end = std::min(name.find('_'), name.size());
    const std::optional<std::int64_t> size = parse_size(name.substr(1, end - 1));
    if (!size) return std::nullopt;
    shape.emplace(dimension, *size);
    name.remove_prefix(std::min(end + 1, name.size()));
  }
  if (!name.empty()) return std::nullopt;
  return shape;
}

// Limits every tile to the size of its dimension.
Parameters clamped(Parameters tiling, const Shape& key) {
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const std::string tile(tiles[i]);
    const std::optional<std::int64_t> size = size_in(key, cut[i]);
    const std::optional<std::int64_t> old = size_in(tiling, tile);
    if (size && old && *size < *old) tiling[tile] = *size;
  }
  return tiling;
}

class Megablox final : public Format {
 public:
  std::string_view name() const noexcept override { return "megablox"; }
  std::string_view what() const noexcept override { return "a Megablox tuning cache"; }

  std::span<const OperationShape> operations() const noexcept override {
    static const std::array<OperationShape, 1> all = {
        {{"megablox_gmm",
          {size_dimension("m"), size_dimension("k"), size_dimension("n"), size_dimension("g")}}}};
    return all;
  }

  bool recognises_path(std::string_view path) const override {
    return shape_in_name(path.substr(path.rfind('/') + 1)).has_value();
  }
  bool recognises_member(JsonValue member) const override { return member.name() == "optimal_tiling"; }

  void read(const Document& document, Sheet& sheet, const Checks& checks) const override {
    sheet.operation = "megablox_gmm";
    if (std::optional<Shape> shape = shape_in_name(sheet.file_name())) {
      sheet.fixed = *std::move(shape);
    } else {
      sheet.fixed = {{"m", 0}, {"k", 0}, {"n", 0}, {"g", 0}};
      checks.notices().fault(0, Path{}, "the file's name does not contain m, k, n and g; 0 is used for them");
    }
    Row row;
    document.for_each_member([&](JsonValue member) { read_member(member, row, checks); });
    if (row.parameters) sheet.rows.push_back(std::move(row));
  }

  std::string path_of(const Sheet& sheet) const override {
    std::string path;
    for (const char* dimension : {"m", "k", "n", "g"})
      path += std::string(path.empty() ? "" : "_") + dimension +
              std::to_string(size_in(sheet.fixed, dimension).value_or(0));
    return path + ".json";
  }

  std::string empty_document(const Sheet&) const override { return "{}"; }

  std::vector<Edit> edits(const Row& row, const Row* old) const override {
    std::vector<Edit> edits;
    if (!row.parameters) return edits;
    if (old == nullptr || row.parameters != old->parameters)
      edits.emplace_back(MemberPath{"optimal_tiling"}, print_list(*row.parameters, tiles));
    // A tiling without a measurement must not keep the time of the previous one.
    if (row.record.count == 0 && old != nullptr && old->record.count > 0)
      edits.emplace_back(MemberPath{"best_time_ms"}, "0.0");
    if (row.record.count > 0 && (old == nullptr || row.record.mean_ns != old->record.mean_ns))
      edits.emplace_back(MemberPath{"best_time_ms"}, print_json(Parameter(row.record.mean_ns / ns_per_ms)));
    if (row.time > 0 && (old == nullptr || row.time != old->time))
      edits.emplace_back(MemberPath{"timestamp"}, print_json(Parameter(static_cast<double>(row.time))));
    return edits;
  }

  bool stores_latency() const noexcept override { return true; }
  bool varies(std::string_view, std::string_view) const override { return false; }

  Answer look_up(std::span<const Sheet* const> sheets, const Question& question) const override {
    Answer answer;
    if (const Sheet* sheet = found(sheets, question.key)) {
      answer = answer_of(*sheet, sheet->rows.back(), question.key);
    } else {
      answer.parameters.emplace();
      for (std::size_t i = 0; i < tiles.size(); ++i) answer.parameters->emplace(tiles[i], default_tiling[i]);
    }
    answer.parameters = clamped(*answer.parameters, question.key);
    return answer;
  }

  // The kernel refuses m if it is not a multiple of the tile; incomplete tiles of k and n are masked.
  bool supports(const Shape& key, const Parameters& parameters) const override {
    return !indivisible(key, "m", clamped(parameters, key), "tm");
  }

  std::vector<std::string> doubts(const Shape& key, const Parameters& parameters) const override {
    std::vector<std::string> doubts;
    const Parameters tiling = clamped(parameters, key);
    for (std::size_t i = 0; i < tiles.size(); ++i)
      if (auto doubt = indivisible(key, cut[i], tiling, std::string(tiles[i])))
        doubts.push_back(*std::move(doubt) +
                         (i == 0 ? ": the kernel refuses it" : ": the last tile is partly idle"));
    return doubts;
  }

  std::string print_parameters(const Parameters& parameters) const override {
    return "{\"optimal_tiling\": " + print_list(parameters, tiles) + "}";
  }

 private:
  static void read_member(JsonValue member, Row& row, const Checks& checks) {
    const Path root;
    const Path path = root / member.name();
    if (member.name() == "optimal_tiling") {
      if (checks.is(member, JsonKind::list, path)) row.parameters = read_sizes(member, path, checks, tiles);
    } else if (member.name() == "best_time_ms") {
      const auto ms = checks.number(member, path, limits::latency_ns / ns_per_ms);
      if (ms) row.record = record_of(*ms * ns_per_ms);
    } else if (member.name() == "timestamp") {
      row.time = parse_seconds(member).value_or(0);
    } else {
      checks.notices().unknown_field(member, root, "a tuning cache; the file keeps it");
    }
  }

  static const Sheet* found(std::span<const Sheet* const> sheets, const Shape& key) {
    const std::int64_t m = size_in(key, "m").value_or(0);
    const Sheet* best = nullptr;
    std::int64_t best_m = 0;
    for (const Sheet* sheet : sheets) {
      Shape moved = key;
      const std::int64_t own = size_in(sheet->fixed, "m").value_or(0);
      moved["m"] = own;
      if (sheet->rows.empty() || !fits(*sheet, moved)) continue;
      const auto difference = static_cast<double>(std::abs(own - m));
      if (own != m && !(difference / static_cast<double>(std::max({own, m, std::int64_t{1}})) < reach))
        continue;
      const bool better = best == nullptr || std::abs(own - m) < std::abs(best_m - m) ||
                          (std::abs(own - m) == std::abs(best_m - m) && own < best_m);
      if (!better) continue;
      best = sheet;
      best_m = own;
    }
    return best;
  }
};

}  // namespace

const Format& megablox() {
  static const Megablox format;
  return format;
}

}  // namespace adaptive::table::formats
