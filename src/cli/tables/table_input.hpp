// Reads the tables that subcommands accept: native files, files of other systems, and folders of either.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "formats/format.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::cli {

struct TableInput {
  table::Table table = {};
  std::vector<table::Notice> notices = {};
};

/// The format of a file is recognised. A folder with files of another system is read as a whole, including
/// its subfolders. Any other folder is searched as a selector on `device` would search it (empty: the
/// processor of this host). If `system` is not empty, only foreign files of that system are recognised.
/// Throws `Error` if nothing can be used.
TableInput load_table(const std::filesystem::path& path, const std::string& system = {},
                      const std::string& device = {}, const std::string& version = {});

/// The formats with this name; all formats if it is empty. Throws `UsageError`, which names `option`, for an
/// unknown name.
std::vector<const table::formats::Format*> formats_named(const std::string& name, const std::string& option);

}  // namespace adaptive::cli
