// Files in the formats of other systems, with the peculiarities of real files. The numbers are invented.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "formats/export.hpp"
#include "formats/import.hpp"
#include "table/table.hpp"
#include "tests/table/sample_table.hpp"

namespace adaptive::inline v1::table::formats {

/// Text by path: "vllm/E=8,….json". The first folder is the system.
const std::map<std::string, std::string>& sample_files();

/// The sample with this path.
const std::string& sample(const std::string& path);

/// Writes the samples below "SYSTEM/" into `folder`.
void write_samples(const TemporaryFolder& folder, const std::string& system);

struct Imported {
  Table table = {};
  std::vector<FileOutcome> files = {};
  std::vector<Notice> notices = {};
};

/// Files and folders, as `adaptive import --from system` reads them.
Imported import(const std::filesystem::path& path, std::string_view system = {}, const Given& given = {});

/// The text of one file under a name.
Imported import_text(const std::string& name, const std::string& text, std::string_view system = {},
                     const Given& given = {});

/// Text by path, as `adaptive export --to system` writes it.
std::map<std::string, std::string> export_to(const Table& table, std::string_view system);

/// Whether a notice contains both parts.
bool noticed(const std::vector<Notice>& notices, std::string_view where, std::string_view what);

}  // namespace adaptive::table::formats
