// Reads members of a JSON object and reports errors in a way that helps the author of the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace adaptive::inline v1::cli {

/// Throws `Error`, with the path, if the file cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Throws `Error`, with `source` and the line, if the text is not a JSON object.
nlohmann::json parse_object(std::string_view text, const std::string& source);

/// The members of the object at `pointer` in `source`. A member that is missing or null has the default. A
/// member of another type throws `Error`.
class JsonFields {
 public:
  JsonFields(const nlohmann::json& object, std::string source, std::string pointer = "");

  bool has(const char* name) const;
  std::int64_t size(const char* name, std::int64_t otherwise = 0) const;
  bool flag(const char* name, bool otherwise = false) const;
  std::string text(const char* name, std::string otherwise = "") const;
  /// Null if the member is missing. Throws if it is not an object.
  JsonFields object(const char* name) const;
  /// An empty list if the member is missing.
  const nlohmann::json& list(const char* name) const;

  const nlohmann::json& json() const noexcept { return *object_; }
  std::string where(const std::string& name = "") const;

 private:
  const nlohmann::json* find(const char* name) const;

  const nlohmann::json* object_;
  std::string source_, pointer_;
};

}  // namespace adaptive::cli
