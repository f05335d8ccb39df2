// Members of a JSON object with the errors that their author needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace adaptive::inline v1::cli {

/// Throws `Error` with the path where it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Throws `Error` with `source` and the line where it is no JSON, or no object.
nlohmann::json parse_object(std::string_view text, const std::string& source);

/// Members of one object at `pointer` of `source`. What is missing or null has the default; what is of
/// another type throws `Error`.
class JsonFields {
 public:
  JsonFields(const nlohmann::json& object, std::string source, std::string pointer = "");

  bool has(const char* name) const;
  std::int64_t size(const char* name, std::int64_t otherwise = 0) const;
  bool flag(const char* name, bool otherwise = false) const;
  std::string text(const char* name, std::string otherwise = "") const;
  /// Null where it is missing; throws where it is there and no object.
  JsonFields object(const char* name) const;
  /// An empty list where it is missing.
  const nlohmann::json& list(const char* name) const;

  const nlohmann::json& json() const noexcept { return *object_; }
  std::string where(const std::string& name = "") const;

 private:
  const nlohmann::json* find(const char* name) const;

  const nlohmann::json* object_;
  std::string source_, pointer_;
};

}  // namespace adaptive::cli
