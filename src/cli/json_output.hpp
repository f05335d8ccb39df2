// JSON output that several subcommands share.
#pragma once

#include <iosfwd>

#include <nlohmann/json.hpp>

#include <adaptive/key.hpp>
#include <adaptive/variant.hpp>

#include "formats/sheet.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::cli {

using Json = nlohmann::ordered_json;

/// Writes a value and a newline. Bytes that are not UTF-8, as paths may contain, become U+FFFD.
void print_json(const Json& json, std::ostream& out);

Json parameter_json(const Parameter& value);
Json parameters_json(const Parameters& parameters);
/// Returns {"m": 17, "dtype": "fp8_w8a8", "bits": ["2", "4"]}, in the order of the dimensions.
Json key_json(const table::OperationTable& operation, const Key& key);
/// Returns a list of {"where", "what", "level"}.
Json notices_json(const std::vector<table::Notice>& notices);

}  // namespace adaptive::cli
