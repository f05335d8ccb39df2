// Changes one value of a JSON text and leaves all other bytes unchanged.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "formats/sheet.hpp"

namespace adaptive::inline v1::table::formats {

/// A value as JSON text, and its place.
using Edit = std::pair<MemberPath, std::string>;

/// Puts `value`, a JSON text, at `path`. It replaces the value there; if several members have the same name,
/// the last one. If there is no such member, it is added at the end of the innermost object of the path that
/// exists. A value on the path that is not an object is replaced by one. The layout of the value follows the
/// text: lines with the same indentation, or a single line. `text` must be one valid JSON object, but may
/// contain numbers that JSON does not have, such as NaN.
std::string put(std::string text, const MemberPath& path, const std::string& value);

/// Makes a new text from the document `empty` and `edits`, with one line per member. Each level is indented
/// by `indent` more spaces.
std::string compose(const std::string& empty, std::span<const Edit> edits, int indent);

}  // namespace adaptive::table::formats
