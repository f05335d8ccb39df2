// The names of enumeration values in table files.
#pragma once

#include <optional>
#include <string_view>

#include <adaptive/dimension.hpp>

#include "table/table.hpp"

namespace adaptive::inline v1::table {

constexpr std::string_view to_string(DimensionKind kind) noexcept {
  switch (kind) {
    case DimensionKind::size:
      return "size";
    case DimensionKind::linear:
      return "linear";
    case DimensionKind::label:
      return "label";
    case DimensionKind::label_set:
      return "label_set";
  }
  return "size";
}

constexpr std::optional<DimensionKind> parse_kind(std::string_view text) noexcept {
  for (const DimensionKind kind :
       {DimensionKind::size, DimensionKind::linear, DimensionKind::label, DimensionKind::label_set})
    if (text == to_string(kind)) return kind;
  return std::nullopt;
}

constexpr std::string_view to_string(Origin origin) noexcept {
  switch (origin) {
    case Origin::imported:
      return "imported";
    case Origin::measured:
      return "measured";
    case Origin::adapted:
      return "adapted";
  }
  return "imported";
}

constexpr std::optional<Origin> parse_origin(std::string_view text) noexcept {
  for (const Origin origin : {Origin::imported, Origin::measured, Origin::adapted})
    if (text == to_string(origin)) return origin;
  return std::nullopt;
}

}  // namespace adaptive::table
