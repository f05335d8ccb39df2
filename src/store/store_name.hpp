// Names of files and folders for names that come from elsewhere.
#pragma once

#include <string>
#include <string_view>

namespace adaptive::table {

/// A name that is safe as one part of a path, and different for different names, also on file systems that
/// do not tell upper from lower case: bytes other than a to z, 0 to 9, '_', '-' and '.' (not in front)
/// become "%" and two hexadecimal digits. The empty name becomes "%". Names beyond 200 bytes are cut and end
/// in a hash of the whole.
std::string store_name(std::string_view name);

}  // namespace adaptive::table
