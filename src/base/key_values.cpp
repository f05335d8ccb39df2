#include "base/key_values.hpp"

#include <bit>

namespace adaptive::inline v1::core {
namespace {

std::string print_value(const Dimension& dimension, std::int64_t value) {
  const auto& labels = dimension.labels;
  if (dimension.kind == DimensionKind::label && value >= 0 &&
      static_cast<std::uint64_t>(value) < labels.size())
    return labels[static_cast<std::size_t>(value)];
  if (dimension.kind == DimensionKind::label_set && labels.size() < 64 && names_labels(dimension, value)) {
    if (value == 0) return "none";
    std::string joined;
    for (std::size_t i = 0; i < labels.size(); ++i)
      if ((value >> i & 1) != 0) joined += (joined.empty() ? "" : "+") + labels[i];
    return joined;
  }
  return std::to_string(value);
}

}  // namespace

bool names_labels(const Dimension& dimension, std::int64_t value) noexcept {
  if (!dimension.has_labels()) return true;
  const std::uint64_t labels = dimension.labels.size();
  if (value < 0) return false;
  if (dimension.kind == DimensionKind::label) return static_cast<std::uint64_t>(value) < labels;
  return labels >= 63 || value >> labels == 0;
}

std::optional<std::size_t> unlabelled(std::span<const Dimension> dimensions, const Key& key) noexcept {
  for (std::size_t i = 0; i < dimensions.size(); ++i)
    if (!names_labels(dimensions[i], key[i])) return i;
  return std::nullopt;
}

Key canonical(std::span<const Dimension> dimensions, Key key) noexcept {
  for (std::size_t i = 0; i < dimensions.size(); ++i)
    if (dimensions[i].rounding == Rounding::power_of_two && key[i] > 1 && key[i] <= std::int64_t{1} << 62)
      key[i] = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(key[i])));
  return key;
}

std::string print(std::span<const Dimension> dimensions, const Key& key) {
  std::string text;
  for (std::size_t i = 0; i < dimensions.size() && i < key.size(); ++i)
    text += (i == 0 ? "" : " ") + dimensions[i].name + "=" + print_value(dimensions[i], key[i]);
  return text;
}

}  // namespace adaptive::core
