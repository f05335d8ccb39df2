#include <adaptive/dimension.hpp>

#include <utility>

namespace adaptive::inline v1 {

Dimension size_dimension(std::string name, double weight, Rounding rounding) {
  return {std::move(name), DimensionKind::size, {}, weight, rounding};
}

Dimension linear_dimension(std::string name, double weight) {
  return {std::move(name), DimensionKind::linear, {}, weight, Rounding::none};
}

Dimension label_dimension(std::string name, std::vector<std::string> labels) {
  return {std::move(name), DimensionKind::label, std::move(labels), 1.0, Rounding::none};
}

Dimension set_dimension(std::string name, std::vector<std::string> labels) {
  return {std::move(name), DimensionKind::label_set, std::move(labels), 1.0, Rounding::none};
}

}  // namespace adaptive
