// tune --save-as FORMAT PATH: writes the winners as files of another system.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "cli/tables/export_files.hpp"
#include "cli/tune/arguments.hpp"
#include "kernels/family.hpp"
#include "table/table.hpp"
#include "tuning/bench/bench.hpp"
#include "tuning/shapes.hpp"

namespace adaptive::inline v1::cli {

struct SaveAs {
  std::string format = {};
  std::filesystem::path output = {};  ///< a folder, or the name of a single file
  ExportRequest request = {};
};

/// Nothing without --save-as. A model gives the values that the mapping of its layers needs; --save-with adds
/// others and takes precedence. Throws `UsageError` if the format is unknown or no result of the operation
/// could ever be written, so that a user is told before anything is measured.
std::optional<SaveAs> save_as(const TuneArguments& arguments, const tuning::ShapeRequest& shapes,
                              const std::string& operation);

/// What is known of `shapes` after the run: the results, and for shapes that were not raced the table's
/// entries.
table::Table known_after(const table::Table& before, const table::Table& found, const tuning::Target& target,
                         const std::vector<kernels::Shape>& shapes);

}  // namespace adaptive::cli
