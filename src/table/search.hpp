// Finds the tables of a device. adaptive/tables.hpp documents the order.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <adaptive/tables.hpp>

#include "table/table.hpp"

namespace adaptive::inline v1::table {

struct FoundTable {
  std::filesystem::path path = {};
  Table table = {};
};

/// The files, most trusted first, each once. Adds a notice for what is missing or not used. Does not throw
/// for faulty files or folders.
std::vector<std::filesystem::path> find_files(const TableSearch& search, const std::string& device,
                                              std::vector<Notice>& notices);

/// Finds and reads the files. A file that cannot be used gives a notice.
std::vector<FoundTable> find(const TableSearch& search, const std::string& device,
                             std::vector<Notice>& notices);

/// All places that are searched, for messages: "tables/*.json, tables/nvidia_h200/3.5.1/*.json, …".
std::string describe(const TableSearch& search, const std::string& device);

}  // namespace adaptive::table
