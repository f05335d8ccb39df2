// Reads the dimensions and variants of an operation, and the fingerprint in the header.
#pragma once

#include "json/checks.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// Returns false, with notices, if the dimensions are too faulty to read any key.
bool read_dimensions(JsonValue value, const Path& path, const Checks& checks,
                     std::vector<Dimension>& dimensions);

/// Faulty variants are left out. Returns false if the value is not an object.
bool read_variants(JsonValue value, const Path& path, const Checks& checks,
                   std::map<std::string, Parameters>& variants);

void read_fingerprint(JsonValue value, const Path& path, const Checks& checks, Fingerprint& fingerprint);

}  // namespace adaptive::table
