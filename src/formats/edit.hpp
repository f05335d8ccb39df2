// Changing one value of a JSON text and leaving every other byte of it alone.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "formats/sheet.hpp"

namespace adaptive::table::formats {

/// A value, itself JSON, and where it belongs.
using Edit = std::pair<MemberPath, std::string>;

/// Puts `value`, itself JSON, where `path` leads: in the place of what is there (of members with the same
/// name the last), or as a new member at the end of the innermost object of the path that exists. The value
/// is laid out as the text is, in lines with its indentation or in one line. `text` must be one valid JSON
/// object; numbers that JSON has not may stand in it. Where the path leads through something that is no
/// object, that is replaced.
std::string put(std::string text, const MemberPath& path, const std::string& value);

/// A new text: the document `empty` with `edits`, in lines, each level `indent` spaces further in.
std::string compose(const std::string& empty, std::span<const Edit> edits, int indent);

}  // namespace adaptive::table::formats
