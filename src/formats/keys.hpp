// Between keys of a table and the values by name of foreign files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/key.hpp>

#include "formats/sheet.hpp"
#include "table/table.hpp"

namespace adaptive::table::formats {

/// The value of a label dimension that says nothing.
inline constexpr std::string_view no_label = "none";

/// Null where the operation has no dimension of that name.
const Dimension* dimension_named(const OperationTable& operation, std::string_view name);

/// All that says which launch a row is for: besides its own dimensions `device_name` and `folder`.
Shape whole_key(const Sheet& sheet, const Row& row);

/// A label as it is; of a set ("2+4") its labels.
std::vector<std::string> labels_in(const OperationTable& operation, std::string_view dimension,
                                   const std::string& text);

/// The values of the operation's dimensions, others are ignored; a dimension that `shape` lacks has its first
/// label, or 0. Nothing where a label is unknown.
std::optional<Key> to_key(const OperationTable& operation, const Shape& shape);

/// The reverse. A set's labels are joined in the order of their numbers.
Shape to_shape(const OperationTable& operation, const Key& key);

/// "m=17,bits=2,4,n=4096" as the values by name that a person means: a comma ends a value only where another
/// name follows. A blank separates as well as a comma, since keys are printed in both ways. Throws `Error`
/// where the text is no such list, or has a name twice.
std::map<std::string, std::string> parse_key(std::string_view text);

/// A value for `dimension` from a text, in the one spelling that shapes have: "[128, 128]" is "128x128",
/// "(4, 2)" of a set "2+4". Nothing where it is no value of such a dimension.
std::optional<Parameter> parse_value(const Dimension& dimension, std::string_view text);

}  // namespace adaptive::table::formats
