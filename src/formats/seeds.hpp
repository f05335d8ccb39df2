// Use of other systems' files in the search for tables, without an import.
#pragma once

namespace adaptive::inline v1::table::formats {

/// Makes the table search and the table reader recognise files of all formats. This is a function and not an
/// object that registers in its constructor, since linkers drop such an object from a static library.
/// Thread-safe; may be called any number of times.
void register_with_tables() noexcept;

}  // namespace adaptive::table::formats
