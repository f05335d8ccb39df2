#include "kernels/family.hpp"

#include <array>

#include "kernels/families.hpp"

namespace adaptive::kernels {

std::span<const Family* const> families() {
  static const std::array<const Family*, 6> all = {
      &mixed_bit_matmul_family(), &grouped_gemm_family(), &dense_gemm_family(),
      &quantized_matmul_family(), &fused_moe_family(),    &ragged_paged_attention_family(),
  };
  return all;
}

const Family* find_family(std::string_view name) {
  for (const Family* family : families())
    if (family->name() == name) return family;
  return nullptr;
}

std::string to_string(const std::vector<Dimension>& dimensions, const Shape& shape) {
  std::string text;
  for (std::size_t i = 0; i < shape.size() && i < dimensions.size(); ++i) {
    const Dimension& dimension = dimensions[i];
    if (i != 0) text += ' ';
    text += dimension.name;
    text += '=';
    if (dimension.kind == Dimension::Kind::label) {
      text += dimension.labels.at(static_cast<std::size_t>(shape[i]));
    } else if (dimension.kind == Dimension::Kind::label_set) {
      const char* separator = "";
      for (std::size_t bit = 0; bit < dimension.labels.size(); ++bit) {
        if ((shape[i] >> bit & 1) == 0) continue;
        text += separator;
        text += dimension.labels[bit];
        separator = "+";
      }
    } else {
      text += std::to_string(shape[i]);
    }
  }
  return text;
}

std::string to_string(const Family& family, const Shape& shape) {
  return to_string(family.dimensions(), shape);
}

std::optional<std::string> why_out_of_range(const std::vector<Dimension>& dimensions, const Shape& shape) {
  if (shape.size() != dimensions.size())
    return "expected " + std::to_string(dimensions.size()) + " values, got " + std::to_string(shape.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const Dimension& dimension = dimensions[i];
    const auto labels = static_cast<std::int64_t>(dimension.labels.size());
    std::int64_t lowest = 0;
    std::int64_t highest = std::int64_t{1} << 31;  // products of three sizes can then be checked
    if (dimension.kind == Dimension::Kind::label) highest = labels - 1;
    if (dimension.kind == Dimension::Kind::label_set) {
      lowest = 1;
      highest = (std::int64_t{1} << labels) - 1;
    }
    if (shape[i] < lowest || shape[i] > highest)
      return dimension.name + " is " + std::to_string(shape[i]) + "; it must be between " +
             std::to_string(lowest) + " and " + std::to_string(highest);
  }
  return std::nullopt;
}

}  // namespace adaptive::kernels
