// Files of other systems as they are, where tables are searched for.
#pragma once

namespace adaptive::table::formats {

/// Lets the table search and the table reader recognise files of all formats. A call of a function, and not
/// an object whose constructor registers: a linker leaves such an object out of a static library.
/// Thread-safe; any number of times.
void register_with_tables() noexcept;

}  // namespace adaptive::table::formats
