// What `adaptive apply` does, for other commands that apply runs.
#pragma once

#include <filesystem>

#include "cli/command.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::cli {

struct ApplyArguments {
  std::filesystem::path source = {};  ///< the folder of a run, or a table
  std::filesystem::path table = {};
  bool dry_run = false;
  bool json = false;
};

/// The table that is meant by a run's folder or by a file. A file of another system is read as a table.
table::Table table_to_apply(const std::filesystem::path& source, const Streams& streams);

/// Applies `source`, whatever `arguments` says of it.
Exit apply(const table::Table& source, const ApplyArguments& arguments, const Streams& streams);

}  // namespace adaptive::cli
