#include "cli/json_fields.hpp"

#include <algorithm>
#include <utility>

#include <adaptive/error.hpp>

#include "files/file_text.hpp"

namespace adaptive::inline v1::cli {

std::string read_file(const std::filesystem::path& path) {
  return table::read_text(path);
}

nlohmann::json parse_object(std::string_view text, const std::string& source) {
  try {
    nlohmann::json json = nlohmann::json::parse(text);
    if (!json.is_object()) throw Error(ErrorCode::corrupt, "is not a JSON object", source);
    return json;
  } catch (const nlohmann::json::parse_error& e) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(e.byte, text.size()));
    throw Error(ErrorCode::corrupt, "is not JSON",
                source + ":" + std::to_string(1 + std::count(text.begin(), end, '\n')));
  }
}

JsonFields::JsonFields(const nlohmann::json& object, std::string source, std::string pointer)
    : object_(&object), source_(std::move(source)), pointer_(std::move(pointer)) {
  if (!object.is_object() && !object.is_null()) throw Error(ErrorCode::corrupt, "is not an object", where());
}

std::string JsonFields::where(const std::string& name) const {
  const std::string pointer = name.empty() ? pointer_ : pointer_ + "/" + name;
  return pointer.empty() ? source_ : source_ + "#" + pointer;
}

const nlohmann::json* JsonFields::find(const char* name) const {
  if (!object_->is_object()) return nullptr;
  const auto at = object_->find(name);
  return at == object_->end() || at->is_null() ? nullptr : &*at;
}

bool JsonFields::has(const char* name) const {
  return find(name) != nullptr;
}

std::int64_t JsonFields::size(const char* name, std::int64_t otherwise) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return otherwise;
  constexpr std::int64_t most = std::int64_t{1} << 31;
  if (!value->is_number_integer() || value->get<std::int64_t>() < 0 || value->get<std::int64_t>() > most)
    throw Error(ErrorCode::corrupt, "is not a size", where(name));
  return value->get<std::int64_t>();
}

bool JsonFields::flag(const char* name, bool otherwise) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) throw Error(ErrorCode::corrupt, "is neither true nor false", where(name));
  return value->get<bool>();
}

std::string JsonFields::text(const char* name, std::string otherwise) const {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return otherwise;
  if (!value->is_string()) throw Error(ErrorCode::corrupt, "is not a text", where(name));
  return value->get<std::string>();
}

JsonFields JsonFields::object(const char* name) const {
  static const nlohmann::json nothing;
  const nlohmann::json* value = find(name);
  return {value == nullptr ? nothing : *value, source_, pointer_ + "/" + name};
}

const nlohmann::json& JsonFields::list(const char* name) const {
  static const nlohmann::json nothing = nlohmann::json::array();
  const nlohmann::json* value = find(name);
  if (value == nullptr) return nothing;
  if (!value->is_array()) throw Error(ErrorCode::corrupt, "is not a list", where(name));
  return *value;
}

}  // namespace adaptive::cli
