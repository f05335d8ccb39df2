// What an operation's table says of its dimensions and variants, and the header's fingerprint.
#pragma once

#include "json/checks.hpp"
#include "table/table.hpp"

namespace adaptive::table {

/// False, with notices, where no key could be understood by them.
bool read_dimensions(JsonValue value, const Path& path, const Checks& checks,
                     std::vector<Dimension>& dimensions);

/// Variants that are faulty are left out. False where the value is no object.
bool read_variants(JsonValue value, const Path& path, const Checks& checks,
                   std::map<std::string, Parameters>& variants);

void read_fingerprint(JsonValue value, const Path& path, const Checks& checks, Fingerprint& fingerprint);

}  // namespace adaptive::table
