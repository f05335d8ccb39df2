#include "formats/seeds.hpp"

#include <algorithm>
#include <string_view>

#include <adaptive/device.hpp>

#include "files/file_text.hpp"
#include "formats/import.hpp"
#include "formats/text/file_name.hpp"
#include "table/foreign_reader.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

bool same_device(std::string_view a, const std::string& b) {
  return a.empty() || normalised_device(std::string(a)) == normalised_device(b);
}

// Many files of a folder of configurations are for other devices; their names show that before they are read.
bool named_for_another(const std::string& stem, const std::string& device) {
  const auto fields = parse_fields(stem);
  if (!fields) return false;
  return std::any_of(fields->begin(), fields->end(), [&](const auto& field) {
    return field.first == "device_name" && !same_device(field.second, device);
  });
}

bool is_foreign_name(const std::filesystem::path& file) {
  const std::string path = file.generic_string();
  return std::any_of(all().begin(), all().end(),
                     [&](const Format* format) { return format->recognises_path(path); });
}

// Returns nothing if the name has fields that no format knows, because a key could then have two meanings.
std::optional<Table> read_seeds(const std::filesystem::path& file, const std::string& device,
                                std::vector<Notice>& notices) {
  if (named_for_another(file.stem().string(), device)) return std::nullopt;
  std::vector<Sheet> sheets;
  sheets.push_back(read_sheet(read_text(file), file.generic_string(), file.string(), all(), false, notices));
  const Sheet& sheet = sheets.front();
  if (!same_device(sheet.device, device)) return std::nullopt;
  // A program that leaves out the backend means the usual kernel.
  if (sheet.fixed.contains("other") || sheet.fixed.contains("backend")) {
    notices.push_back({file.string(), "its name has unknown fields or names a backend; the file is not used",
                       LogLevel::info});
    return std::nullopt;
  }
  Table table = to_table(sheets, {}, notices);
  table.foreign.clear();  // the file stays where it is, so its text is not kept
  return table;
}

std::string_view looks_like(JsonValue member) {
  for (const Format* format : all())
    if (format->recognises_member(member)) return format->what();
  return {};
}

}  // namespace

void register_with_tables() noexcept {
  static constexpr ForeignReader reader{
      is_foreign_name, [](const std::filesystem::path& file) { return recognise(file) != nullptr; },
      read_seeds, looks_like};
  register_foreign_reader(reader);
}

}  // namespace adaptive::table::formats
