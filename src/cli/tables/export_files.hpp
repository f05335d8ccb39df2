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

/// Makes the files and writes them. `output` is a folder, or the name of a single file, which ends with
/// .json, .csv or .txt; it need not exist. Rows are added to files that do, under a lock, so that no process
/// loses the rows of another one. Throws `UsageError` if `output` names a single file and there are several,
/// and `Error`.
ExportResult save_files(const table::Table& table, const ExportRequest& request,
                        const std::filesystem::path& output);

/// The path of a file below `output`, or `output` itself if it names a single file.
std::filesystem::path place_of(const std::filesystem::path& output, const table::formats::ExportedFile& file);

/// The values of texts such as "top_k=2,intermediate_size=7168". Throws `UsageError`, which names `option`.
std::map<std::string, std::string> named_values(const std::vector<std::string>& texts,
                                                const std::string& option);

}  // namespace adaptive::cli
