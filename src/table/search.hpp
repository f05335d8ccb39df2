// Finding the tables of a device: the order is written in adaptive/tables.hpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <adaptive/tables.hpp>

#include "table/table.hpp"

namespace adaptive::table {

struct FoundTable {
  std::filesystem::path path = {};
  Table table = {};
};

/// The files, most trusted first, each once. What is missing or unused is said in `notices`; nothing throws.
std::vector<std::filesystem::path> find_files(const TableSearch& search, const std::string& device,
                                              std::vector<Notice>& notices);

/// The same, read. A file that cannot be used becomes a notice.
std::vector<FoundTable> find(const TableSearch& search, const std::string& device,
                             std::vector<Notice>& notices);

/// All that is looked at, for messages: "tables/*.json, tables/nvidia_h200/3.5.1/*.json, …".
std::string describe(const TableSearch& search, const std::string& device);

}  // namespace adaptive::table
