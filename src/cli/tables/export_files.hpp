// Makes files of another system from a table, and writes them.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "formats/export.hpp"
#include "formats/mapping/mapped.hpp"
#include "formats/mapping/mapping.hpp"

namespace adaptive::inline v1::cli {

struct ExportRequest {
  std::vector<const table::formats::Format*> formats = {};
  std::vector<table::formats::OperationMapping> mappings = {};
  table::formats::MappingRequest values = {};
};

struct ExportResult {
  table::formats::Export files = {};  ///< `notices` includes those of the mapping
  std::size_t left_out = 0;           ///< number of entries that have no expression in the other system
};

/// `output` is a folder, or the name of a single file, which ends with .json. It may not exist; rows are
/// added to files that do.
ExportResult make_files(const table::Table& table, const ExportRequest& request,
                        const std::filesystem::path& output);

/// The path of a file below `output`, or `output` itself if it names a single file.
std::filesystem::path place_of(const std::filesystem::path& output, const table::formats::ExportedFile& file);

/// Writes each file to its place and creates the folders that it needs. Throws `UsageError` if `output` names
/// a single file and there are several, and `Error`.
void write_files(const table::formats::Export& files, const std::filesystem::path& output);

/// The values of texts such as "top_k=2,intermediate_size=7168". Throws `UsageError`, which names `option`.
std::map<std::string, std::string> named_values(const std::vector<std::string>& texts,
                                                const std::string& option);

}  // namespace adaptive::cli
