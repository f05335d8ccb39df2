#include "cli/json_output.hpp"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <variant>

#include "cli/output.hpp"

namespace adaptive::inline v1::cli {
namespace {

Json value_json(const Dimension& dimension, std::int64_t value) {
  const auto known = static_cast<std::int64_t>(dimension.labels.size());
  if (dimension.kind == DimensionKind::label && value >= 0 && value < known)
    return dimension.labels[static_cast<std::size_t>(value)];
  if (dimension.kind != DimensionKind::label_set) return value;
  Json labels = Json::array();
  for (std::int64_t i = 0; i < known && i < 63; ++i)
    if ((value >> i & 1) != 0) labels.push_back(dimension.labels[static_cast<std::size_t>(i)]);
  return labels;
}

}  // namespace

void print_json(const Json& json, std::ostream& out) {
  out << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

Json parameter_json(const Parameter& value) {
  return std::visit([](const auto& x) { return Json(x); }, value.value());
}

Json parameters_json(const Parameters& parameters) {
  Json json = Json::object();
  for (const auto& [parameter, value] : parameters) json[parameter] = parameter_json(value);
  return json;
}

Json key_json(const table::OperationTable& operation, const Key& key) {
  Json json = Json::object();
  for (std::size_t i = 0; i < operation.dimensions.size() && i < key.size(); ++i)
    json[operation.dimensions[i].name] = value_json(operation.dimensions[i], key[i]);
  return json;
}

Json notices_json(const std::vector<table::Notice>& notices) {
  Json list = Json::array();
  for (const table::Notice& notice : notices)
    list.push_back({{"where", notice.where}, {"what", notice.what}, {"level", notice_word(notice.level)}});
  return list;
}

}  // namespace adaptive::cli
