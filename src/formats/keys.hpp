// Converts between keys of a table and the named values of foreign files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/key.hpp>

#include "formats/sheet.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table::formats {

/// The label that means "no value".
inline constexpr std::string_view no_label = "none";

/// Null if the operation has no dimension of that name.
const Dimension* dimension_named(const OperationTable& operation, std::string_view name);

/// All values that determine the launch of a row: its own dimensions, `device_name` and `folder`.
Shape whole_key(const Sheet& sheet, const Row& row);

/// The labels in a value: of a set such as "2+4" several, otherwise the label itself.
std::vector<std::string> labels_in(const OperationTable& operation, std::string_view dimension,
                                   const std::string& text);

/// The key with the values of `shape`. Values of other dimensions are ignored. A dimension that `shape` lacks
/// gets its first label, or 0. Nothing if a label is unknown.
std::optional<Key> to_key(const OperationTable& operation, const Shape& shape);

/// The reverse. The labels of a set are joined in the order of their indices.
Shape to_shape(const OperationTable& operation, const Key& key);

/// The values by name of a text such as "m=17,bits=2,4,n=4096". A comma ends a value only if another name
/// follows. Blanks and commas separate equally, since keys are printed in both ways. Throws `Error` if the
/// text is not such a list, or has a name twice.
std::map<std::string, std::string> parse_key(std::string_view text);

/// The value of `dimension` in a text, in the normal spelling of shapes: "[128, 128]" becomes "128x128", and
/// "(4, 2)" of a set becomes "2+4". Nothing if the dimension cannot have this value.
std::optional<Parameter> parse_value(const Dimension& dimension, std::string_view text);

}  // namespace adaptive::table::formats
