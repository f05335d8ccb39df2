// What the rules of looking up share.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "formats/format.hpp"

namespace adaptive::table::formats {

/// The row that holds exactly this key; of several the last. Null where there is none.
const Row* find_row(const Sheet& sheet, const Shape& key);

/// The row whose size in `dimension` differs least from the key's, without a limit, all else being equal. A
/// tie goes to the one that stands first in the file; of rows with the same key the last counts, at the place
/// of the first, as in a Python dictionary. Null where there is none.
const Row* nearest_row(const Sheet& sheet, const Shape& key, const std::string& dimension);

/// An answer that is this row: exact where its key is `key`.
Answer answer_of(const Sheet& sheet, const Row& row, const Shape& key);

/// Whether the sheet's fixed dimensions are those of the key.
bool fits(const Sheet& sheet, const Shape& key);

/// The sheets grouped by the folder they are in: versions from the newest to the oldest, those in folders
/// that are no versions after them.
std::vector<const Sheet*> newest_first(std::span<const Sheet* const> sheets);

/// Whether the sheet lies in a folder of this version: "3.5.1" and "triton_3_5_1" are one.
bool of_version(const Sheet& sheet, const std::string& version);

/// "E=8,m=17": for messages; `parse_key` reads it back.
std::string print(const Shape& shape);

}  // namespace adaptive::table::formats
