// Names of files that say what is in them:
// "E=8,N=7168,device_name=NVIDIA_H200,dtype=fp8_w8a8,block_shape=[128,128]".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adaptive::table::formats {

enum class FieldStyle {
  file_name,  ///< names have letters, digits and '_'; only commas separate fields
  key,        ///< names are those of dimensions, with '-' and '.' besides; blanks separate as well
};

/// "a=1,b=[2, 3],c=" as its fields, in their order: a separator ends a value unless it stands in brackets or
/// what follows it is no field. Nothing where the text is not made of fields, or a bracket stays open.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_fields(
    std::string_view text, FieldStyle style = FieldStyle::file_name);

/// A device's name as it may stand in the name of a file, as the systems' own `replace`s have it: white space
/// and '/' become '_'. Nothing that is left can lead out of a folder.
std::string device_in_file_name(std::string_view device);

/// Whether `path` stays below the folder that it is appended to: relative, without "..", empty parts or
/// control characters.
bool is_safe_path(std::string_view path);

}  // namespace adaptive::table::formats
