// Safe names of files and folders for arbitrary names.
#pragma once

#include <string>
#include <string_view>

namespace adaptive::inline v1::table {

/// Makes a name that is safe as one part of a path. Different names stay different, also on file systems that
/// ignore case. All bytes except a to z, 0 to 9, '_', '-' and '.' (except at the beginning) become "%" and
/// two hexadecimal digits. The empty name becomes "%". Names of more than 200 bytes are cut and end with a
/// hash of the whole name.
std::string store_name(std::string_view name);

}  // namespace adaptive::table
