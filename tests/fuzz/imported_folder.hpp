// Properties that must hold for files of other systems, whatever their names and contents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace adaptive::fuzz {

/// An input is a folder as one text. A line "@ PATH" begins a file, whose content extends to the next such
/// line; text before the first such line is the content of "table.json". Reads the files as `adaptive import
/// --from SYSTEM` would and requires that
/// - a file is read, or refused with an `Error`;
/// - the table is printed and read again without a fault or a change;
/// - its export gives the files that were read, byte for byte, except for paths that lead out of the folder;
/// - every entry is found by its own key;
/// - an entry that gets another incumbent has it after an export and another import, and no other entry
///   changes.
void check_imported_folder(const std::uint8_t* data, std::size_t size, std::string_view system);

}  // namespace adaptive::fuzz
