// Tables as subcommands take them: our own files, files of other systems, and folders of either.
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

/// A file is read as what it is. A folder of another system's files is read as a whole, with those of folders
/// in it; any other folder is searched as a selector on `device` would (empty: this host's processor).
/// `system`: of foreign files only those of this system are recognised; empty: of any. Throws `Error` where
/// nothing can be used.
TableInput load_table(const std::filesystem::path& path, const std::string& system = {},
                      const std::string& device = {}, const std::string& version = {});

/// The formats that `name` stands for; all where it is empty. Throws `UsageError` for an unknown name, which
/// was given with `option`.
std::vector<const table::formats::Format*> formats_named(const std::string& name, const std::string& option);

}  // namespace adaptive::cli
