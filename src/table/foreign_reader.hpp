// Lets the table layer read files of other systems without knowing their formats: src/formats registers a
// reader.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json/tree.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// Every function may be called from any thread, also by several threads at once.
struct ForeignReader {
  /// Whether only a foreign file can have this name. The file is not opened.
  bool (*is_foreign_name)(const std::filesystem::path& file);
  /// Whether the content of the file is foreign.
  bool (*recognises)(const std::filesystem::path& file);
  /// The file as a table of `device`. Nothing if the file belongs to another device. Throws `Error` if the
  /// file cannot be used.
  std::optional<Table> (*read_seeds)(const std::filesystem::path& file, const std::string& device,
                                     std::vector<Notice>& notices);
  /// What a file with this top-level member probably is, such as "a vLLM or SGLang configuration". Empty if
  /// unknown.
  std::string_view (*looks_like)(JsonValue member);
};

/// `reader` must live until the process ends. Registering again replaces the reader. Thread-safe.
void register_foreign_reader(const ForeignReader& reader) noexcept;

/// The registered reader; if there is none, a reader that recognises nothing.
const ForeignReader& foreign_reader() noexcept;

}  // namespace adaptive::table
