// A table with one operation and one key, for tests of commands that compare and merge.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "table/merging/shares.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::cli {

/// Variants "a" and "b", each measured by `writer` with the latencies given.
inline table::Table measured_table(const std::string& incumbent,
                                   const std::map<std::string, double>& latency_ns,
                                   const std::string& writer = "test", std::uint64_t count = 100) {
  table::Table table;
  table.fingerprint.device = "cpu";
  table::OperationTable& operation = table.operations["op"];
  operation.name = "op";
  operation.dimensions = {{"m"}};
  operation.variants = {{"a", {{"tile", 32}}}, {"b", {{"tile", 64}}}};
  table::Entry& entry = operation.entries[Key{8}];
  entry.key = Key{8};
  entry.incumbent = incumbent;
  for (const auto& [variant, latency] : latency_ns)
    entry.variants[variant] = table::record_of(writer, {count, latency, 4.0, latency, 0});
  return table;
}

}  // namespace adaptive::cli
