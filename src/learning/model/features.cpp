#include "learning/model/features.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.hpp"

namespace adaptive::inline v1::core {
namespace {

// Maximum number of the variants' own features, over all variants: the time of a fit grows with the cube of
// it.
constexpr std::size_t own_max = 512;
// Maximum dimension of the parameter space; with more, the parameters are not used, because their products
// would be too many.
constexpr std::size_t parameters_max = 8;
// If variants are tiles, the number of rows is centred around 2^6.
constexpr double rows_reference_log2 = 6.0;
// Prior standard deviation of the level in natural log latency: practically unknown.
constexpr double level_deviation = 10.0;

bool is_number(const Dimension& dimension) {
  return dimension.kind == DimensionKind::size || dimension.kind == DimensionKind::linear;
}

std::optional<std::size_t> dimension_of(std::size_t letter, std::span<const Dimension> dimensions) {
  constexpr std::array<std::array<std::string_view, 4>, 3> names = {{{"m", "tokens", "rows", "batch"},
                                                                     {"n", "out_features", "columns", "n"},
                                                                     {"k", "in_features", "depth", "k"}}};
  for (const std::string_view name : names[letter])
    for (std::size_t d = 0; d < dimensions.size(); ++d)
      if (dimensions[d].kind == DimensionKind::size && ascii_lower(dimensions[d].name) == name) return d;
  const auto is_named = [&](const Dimension& d) {
    return std::any_of(names.begin(), names.end(), [&](const auto& known) {
      return std::find(known.begin(), known.end(), ascii_lower(d.name)) != known.end();
    });
  };
  // If no dimension has a known name, their order counts.
  if (std::any_of(dimensions.begin(), dimensions.end(), is_named) || letter >= dimensions.size() ||
      dimensions[letter].kind != DimensionKind::size)
    return std::nullopt;
  return letter;
}

// The index of m, n or k if the parameter is a side of a tile: "tile_m", "BLOCK_SIZE_N", "bk".
std::optional<std::size_t> letter_of(const std::string& parameter) {
  const std::string name = ascii_lower(parameter);
  const std::size_t at = std::string_view("mnk").find(name.back());
  if (at == std::string_view::npos) return std::nullopt;
  const bool is_tile = name.starts_with("tile") || name.starts_with("block") || name.size() == 2;
  return is_tile ? std::optional(at) : std::nullopt;
}

std::optional<double> positive(const Parameter& parameter) {
  if (const auto* whole = std::get_if<std::int64_t>(&parameter.value()); whole != nullptr && *whole > 0)
    return static_cast<double>(*whole);
  return std::nullopt;
}

bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}

std::vector<double> joined_numbers(std::string_view name) {
  std::vector<double> numbers;
  std::size_t i = 0;
  while (i < name.size() && !is_decimal(name[i])) ++i;
  while (i < name.size() && is_decimal(name[i]) && numbers.size() < 3) {
    double number = 0.0;
    for (; i < name.size() && is_decimal(name[i]); ++i) number = 10.0 * number + (name[i] - '0');
    numbers.push_back(std::clamp(number, 1.0, 1e9));
    if (i + 1 >= name.size() || name[i] != 'x') break;
    ++i;
  }
  if (numbers.size() < 2) numbers.clear();
  return numbers;
}

}  // namespace

Tiles tiles_of(const Variant& variant, std::span<const Dimension> dimensions) {
  Tiles tiles(dimensions.size(), 0.0);
  const auto set = [&](std::size_t letter, double value) {
    if (const auto d = dimension_of(letter, dimensions)) tiles[*d] = value;
  };
  bool any = false;
  for (const auto& [name, value] : variant.parameters) {
    if (name.empty()) continue;
    const std::optional<std::size_t> letter = letter_of(name);
    const std::optional<double> number = positive(value);
    if (!letter || !number) continue;
    set(*letter, *number);
    any = true;
  }
  if (any) return tiles;
  const std::vector<double> numbers = joined_numbers(variant.name);
  for (std::size_t i = 0; i < numbers.size(); ++i) set(i, numbers[i]);
  return tiles;
}

ModelFeatures::ModelFeatures(std::span<const Dimension> dimensions, ParameterSpace space,
                             std::vector<Tiles> tiles, double multiprocessors, bool estimated,
                             const Key& reference)
    : dimensions_(dimensions.begin(), dimensions.end()),
      space_(std::move(space)),
      tiles_(std::move(tiles)),
      reference_(dimensions.size(), 0.0),
      multiprocessors_(multiprocessors),
      estimated_(estimated) {
  if (space_.dimensions > parameters_max) space_ = {};
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    const bool divided =
        std::all_of(tiles_.begin(), tiles_.end(), [&](const Tiles& t) { return t[d] > 0.0; });
    if (divided && !tiles_.empty()) ++tiled_;
    if (!divided)
      for (Tiles& t : tiles_) t[d] = 0.0;
    if (dimensions_[d].kind == DimensionKind::size)
      reference_[d] = std::round(std::log2(std::max(1.0, static_cast<double>(reference[d]))));
    if (dimensions_[d].kind == DimensionKind::linear) reference_[d] = static_cast<double>(reference[d]);
    if (is_number(dimensions_[d]))
      ++numbers_;
    else if (dimensions_[d].labels.size() <= labelled_max)
      labels_ += dimensions_[d].labels.size();
  }
  // Centre each parameter: its mean does not distinguish the variants.
  const std::size_t count = tiles_.size();
  for (std::size_t p = 0; p < space_.dimensions; ++p) {
    float mean = 0.0F;
    for (std::size_t v = 0; v < count; ++v)
      mean += space_.coordinates[v * space_.dimensions + p] / static_cast<float>(count);
    for (std::size_t v = 0; v < count; ++v) space_.coordinates[v * space_.dimensions + p] -= mean;
  }
  if (space_.empty()) tiled_ = 0;
  depth_ = dimension_of(2, dimensions_);
  if (tiled_ >= 2)
    if (const auto rows = dimension_of(0, dimensions_)) reference_[*rows] = rows_reference_log2;
  std::size_t shared = 0;
  emit(
      point(reference), 0, [&](double, double deviation) { prior_.push_back(deviation); }, shared);
  shared_ = shared;
  own_ = prior_.size() - shared;
  if (own_ * count > own_max) own_ = count <= own_max ? 1 : 0;
  prior_.resize(shared_ + own_);
}

ModelFeatures::Point ModelFeatures::point(const Key& key) const noexcept {
  Point result;
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    const auto value = static_cast<double>(key[d]);
    result.size[d] = 1.0;
    if (dimensions_[d].kind == DimensionKind::size) {
      result.size[d] = std::max(1.0, value);
      result.number[result.numbers++] = std::log2(result.size[d]) - reference_[d];
    } else if (dimensions_[d].kind == DimensionKind::linear) {
      result.number[result.numbers++] = dimensions_[d].weight * (value - reference_[d]);
    } else if (dimensions_[d].labels.size() <= labelled_max) {
      for (std::size_t l = 0; l < dimensions_[d].labels.size(); ++l) {
        const bool is = dimensions_[d].kind == DimensionKind::label
                            ? key[d] == static_cast<std::int64_t>(l)
                            : (static_cast<std::uint64_t>(key[d]) >> l & 1U) != 0;
        result.label[result.labels++] = is ? 1.0 : 0.0;
      }
    }
  }
  return result;
}

template <class Add>
void ModelFeatures::emit(const Point& at, std::size_t v, Add&& add, std::size_t& shared) const {
  std::size_t count = 0;
  const auto put = [&](double feature, double deviation) {
    add(feature, deviation);
    ++count;
  };
  // A correction of the exponent of the estimate, which itself enters as `offset`.
  if (estimated_) put(offset(at, v), 0.3);
  // The level of the key: common to all variants.
  put(1.0, level_deviation);
  for (const double x : at.centred()) put(x, 1.0);
  for (const double x : at.centred())
    for (const double knot : knots) put(std::max(0.0, x - knot), 0.3);
  for (const double l : at.labelled()) put(l, 1.0);
  const float* const u = space_.coordinates.data() + v * space_.dimensions;
  for (std::size_t p = 0; p < space_.dimensions; ++p) put(double{u[p]}, 0.3);
  if (tiled_ >= 2) {
    double blocks = 1.0;
    double rest = 1.0;
    std::size_t sides = 0;
    for (std::size_t d = 0; d < dimensions_.size(); ++d) {
      const double tile = tiles_[v][d];
      const bool depth = depth_ == d;
      if (tile == 0.0) {
        if (dimensions_[d].kind == DimensionKind::size && !depth) rest *= at.size[d];
        continue;
      }
      const double tiles = std::ceil(at.size[d] / tile);
      if (!depth && sides < 2) {
        ++sides;
        blocks *= tiles;
        put(std::log2(tiles * tile / at.size[d]), 0.3);
      } else {
        put(std::log2(tiles), 0.3);
        if (!depth) rest *= at.size[d];
      }
    }
    // The number of waves, the filled share of a single wave, and the loss by a last wave that is not full:
    // for the tiles of the first two sizes alone, and for these times the other sizes.
    for (const double all : {1.0, rest}) {
      const double loaded = blocks * all / multiprocessors_;
      const double waves = std::ceil(loaded);
      const double full = std::log2(loaded);
      put(std::log2(waves), 0.3);
      put(std::min(full, 0.0), 0.3);
      put(waves > 1.0 ? std::log2(waves) - full : 0.0, 0.3);
    }
  }
  for (const double x : at.centred())
    for (std::size_t p = 0; p < space_.dimensions; ++p) put(0.5 * x * double{u[p]}, 0.2);
  for (std::size_t a = 0; a < space_.dimensions; ++a)
    for (std::size_t b = 0; b <= a; ++b) put(double{u[a]} * double{u[b]}, 0.1);
  shared = count;
  // The variant's own features.
  put(1.0, 0.2);
  for (const double x : at.centred()) put(x, 0.05);
  for (const double x : at.centred()) put(std::max(0.0, x), 0.05);
  for (const double l : at.labelled()) put(l, 0.05);
}

void ModelFeatures::fill(const Point& point, std::size_t variant, double* out) const {
  std::size_t n = 0;
  std::size_t shared = 0;
  const std::size_t most = shared_ + own_;
  emit(
      point, variant,
      [&](double feature, double) {
        if (n < most) out[n++] = feature;
      },
      shared);
}

}  // namespace adaptive::core
