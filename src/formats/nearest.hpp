// Functions that the lookup rules share.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// The last row with exactly this key. Null if there is none.
const Row* find_row(const Sheet& sheet, const Shape& key);

/// The row whose size in `dimension` is nearest to the key's, however far away; all other dimensions must be
/// equal. Ties go to the first one in the file. If several rows have the same key, the last one counts, at
/// the place of the first, as in a Python dictionary. Null if there is none.
const Row* nearest_row(const Sheet& sheet, const Shape& key, const std::string& dimension);

/// An answer with this row; it is an exact match if the row's key is `key`.
Answer answer_of(const Sheet& sheet, const Row& row, const Shape& key);

/// The row with exactly this key, in any sheet; otherwise an answer without a row.
Answer exact_answer(std::span<const Sheet* const> sheets, const Shape& key);

/// The label of a file whose name leaves the dimension out; empty if every name has one.
std::string usual_label(const OperationShape& operation, std::string_view dimension);

/// Whether the sheet's fixed dimensions have the key's values. A label that the sheet lacks is the usual one.
bool fits(const Sheet& sheet, const Shape& key);

/// The sheets grouped by folder: folders that are versions from the newest to the oldest, then all others.
std::vector<const Sheet*> newest_first(std::span<const Sheet* const> sheets);

/// Whether the sheet is in a folder of this version. "3.5.1" and "triton_3_5_1" are the same version.
bool of_version(const Sheet& sheet, const std::string& version);

/// "E=8,m=17", for messages. `parse_key` can read it.
std::string print(const Shape& shape);

}  // namespace adaptive::table::formats
