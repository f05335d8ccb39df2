// What is fuzzed, by name. A check ends the program where a property does not hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace adaptive::fuzz {

void check_key(const std::uint8_t* data, std::size_t size);
void check_mapping(const std::uint8_t* data, std::size_t size);
void check_table(const std::uint8_t* data, std::size_t size);
void check_trace(const std::uint8_t* data, std::size_t size);

/// Runs the check of that name on one input: one of the above, or `check_imported_folder` for a system, whose
/// name has '_' in place of '-'. Returns false if there is none.
bool check(std::string_view name, const std::uint8_t* data, std::size_t size);

}  // namespace adaptive::fuzz
