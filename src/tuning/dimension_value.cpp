#include "tuning/dimension_value.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>

#include <adaptive/error.hpp>

#include "base/text.hpp"
#include "tuning/shapes.hpp"

namespace adaptive::inline v1::tuning {
namespace {

std::int64_t whole_number(const std::string& what, std::string_view text) {
  const auto value = core::parse_number<std::int64_t>(text);
  if (!value)
    throw Error(ErrorCode::invalid_argument, "\"" + std::string(text) + "\" is not a whole number", what);
  return *value;
}

}  // namespace

bool has_labels(const kernels::Dimension& dimension) {
  return dimension.kind == kernels::Dimension::Kind::label ||
         dimension.kind == kernels::Dimension::Kind::label_set;
}

std::int64_t label_index(const kernels::Dimension& dimension, const std::string& label) {
  const auto at = std::find(dimension.labels.begin(), dimension.labels.end(), label);
  if (at == dimension.labels.end())
    throw Error(ErrorCode::not_found, "there is no \"" + label + "\"", dimension.name,
                "it has: " + core::joined(dimension.labels));
  return at - dimension.labels.begin();
}

std::int64_t dtype_index(const kernels::Dimension& dimension, const std::string& name) {
  const bool is_label =
      std::find(dimension.labels.begin(), dimension.labels.end(), name) != dimension.labels.end();
  if (is_label) return label_index(dimension, name);
  // Families whose types name those of weights and activations together have float8 for both.
  const std::string known = normalised_dtype(name);
  const auto both = std::find(dimension.labels.begin(), dimension.labels.end(), "fp8_w8a8");
  if (known == "float8_e4m3" && both != dimension.labels.end()) return both - dimension.labels.begin();
  return label_index(dimension, known);
}

std::int64_t parse_value(const kernels::Dimension& dimension, const std::string& text) {
  if (dimension.kind == kernels::Dimension::Kind::label)
    return dimension.name == "dtype" ? dtype_index(dimension, text) : label_index(dimension, text);
  if (dimension.kind != kernels::Dimension::Kind::label_set) return whole_number(dimension.name, text);
  std::int64_t mask = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('+', at), text.size());
    mask |= std::int64_t{1} << label_index(dimension, text.substr(at, end - at));
    at = end + 1;
  }
  return mask;
}

std::string normalised_dtype(const std::string& name) {
  static const std::map<std::string, std::string, std::less<>> known = {{"fp16", "float16"},
                                                                        {"half", "float16"},
                                                                        {"bf16", "bfloat16"},
                                                                        {"fp32", "float32"},
                                                                        {"float", "float32"},
                                                                        {"fp8", "float8_e4m3"},
                                                                        {"fp8_w8a8", "float8_e4m3"},
                                                                        {"float8_e4m3fn", "float8_e4m3"},
                                                                        {"torch.bfloat16", "bfloat16"},
                                                                        {"torch.float16", "float16"},
                                                                        {"torch.float32", "float32"}};
  const auto at = known.find(name);
  return at == known.end() ? name : at->second;
}

}  // namespace adaptive::tuning
