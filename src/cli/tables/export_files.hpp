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

/// Rows are added to files that `folder` has already. The folder may not exist; if it is empty, no file is
/// read.
ExportResult make_files(const table::Table& table, const ExportRequest& request,
                        const std::filesystem::path& folder);

/// Writes each file to `folder` and creates the folders that it needs. Throws `Error`.
void write_files(const table::formats::Export& files, const std::filesystem::path& folder);

/// Replaces a file, and creates its folder. Throws `Error`.
void write_file(const std::filesystem::path& path, const std::string& text);

/// The values of texts such as "top_k=2,intermediate_size=7168". Throws `UsageError`, which names `option`.
std::map<std::string, std::string> named_values(const std::vector<std::string>& texts,
                                                const std::string& option);

}  // namespace adaptive::cli
