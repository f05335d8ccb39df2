#include "kernels/dense_gemm/cublaslt_config.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <system_error>

namespace adaptive::kernels::dense_gemm {
namespace {

struct Field {
  std::string_view prefix;  // of the field in a name
  std::string_view parameter;
  std::int64_t CublasLtConfig::*value;
  std::int64_t highest;  // largest value of the library's type for the field
};

constexpr std::int64_t int32_max = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t uint32_max = std::numeric_limits<std::uint32_t>::max();
constexpr std::int64_t uint16_max = std::numeric_limits<std::uint16_t>::max();

constexpr std::array<Field, 9> fields = {{
    {"lt", "algorithm", &CublasLtConfig::algorithm, int32_max},
    {"_t", "tile", &CublasLtConfig::tile, uint32_max},
    {"_s", "stages", &CublasLtConfig::stages, uint32_max},
    {"_k", "split_k", &CublasLtConfig::split_k, uint32_max},  // all bits one: the library chooses
    {"_r", "reduction", &CublasLtConfig::reduction, uint32_max},
    {"_x", "swizzle", &CublasLtConfig::swizzle, uint32_max},
    {"_o", "custom", &CublasLtConfig::custom, uint32_max},
    {"_i", "inner_shape", &CublasLtConfig::inner_shape, uint16_max},
    {"_c", "cluster_shape", &CublasLtConfig::cluster_shape, uint16_max},
}};

std::optional<CublasLtConfig> parse_name(std::string_view name) {
  CublasLtConfig config;
  for (const Field& field : fields) {
    if (!name.starts_with(field.prefix)) return std::nullopt;
    name.remove_prefix(field.prefix.size());
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
    if (error != std::errc{} || value < 0 || value > field.highest) return std::nullopt;
    name.remove_prefix(static_cast<std::size_t>(end - name.data()));
    config.*field.value = value;
  }
  return name.empty() ? std::optional(config) : std::nullopt;
}

}  // namespace

std::string name_of(const CublasLtConfig& config) {
  std::string name;
  for (const Field& field : fields) {
    name += field.prefix;
    name += std::to_string(config.*field.value);
  }
  return name;
}

std::vector<std::pair<std::string, Parameter>> parameters_of(const CublasLtConfig& config) {
  std::vector<std::pair<std::string, Parameter>> parameters;
  for (const Field& field : fields) parameters.emplace_back(field.parameter, config.*field.value);
  return parameters;
}

std::optional<CublasLtConfig> parse_config(std::string_view name,
                                           const std::vector<std::pair<std::string, Parameter>>& parameters) {
  // The name contains every field, so name and parameters can be checked against each other.
  const std::optional<CublasLtConfig> config = parse_name(name);
  if (!config || name_of(*config) != name) return std::nullopt;  // "lt066" is not the canonical name
  for (const Field& field : fields) {
    const auto at = std::find_if(parameters.begin(), parameters.end(),
                                 [&](const auto& parameter) { return parameter.first == field.parameter; });
    if (at == parameters.end()) continue;
    const auto* value = std::get_if<std::int64_t>(&at->second);
    if (value == nullptr || *value != (*config).*field.value) return std::nullopt;
  }
  return config;
}

}  // namespace adaptive::kernels::dense_gemm
