// Names of files that describe their content:
// "E=8,N=7168,device_name=NVIDIA_H200,dtype=fp8_w8a8,block_shape=[128,128]".
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adaptive::inline v1::table::formats {

enum class FieldStyle {
  file_name,  ///< names have letters, digits and '_'; only commas separate fields
  key,        ///< names of dimensions: also '-' and '.'; blanks separate fields too
};

/// The fields of a text such as "a=1,b=[2, 3],c=", in their order. A separator ends a value, unless it is
/// inside of brackets or no field follows. Nothing if the text does not consist of fields, or a bracket is
/// not closed.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_fields(
    std::string_view text, FieldStyle style = FieldStyle::file_name);

/// The name of a device for use in the name of a file, as the other systems convert it: white space and '/'
/// become '_'. The result cannot lead out of a folder.
std::string device_in_file_name(std::string_view device);

/// Whether `path` stays inside of the folder to which it is appended: it must be relative, without "..",
/// empty parts and control characters.
bool is_safe_path(std::string_view path);

}  // namespace adaptive::table::formats
