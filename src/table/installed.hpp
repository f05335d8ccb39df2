// Where the files are that are installed with the library: tables and presets of models.
#pragma once

#include <filesystem>
#include <vector>

namespace adaptive::table {

/// The folder `share/adaptive/configs` of the installation that the code at run time belongs to: that of the
/// shared library, or of a program that is linked statically and installed in the same prefix. Empty where
/// that folder does not exist, as for a program elsewhere.
std::filesystem::path configs_beside_code();

/// The folders where the installed files may be, best first: `configs_beside_code`; that of the installation
/// whose public header `header` a program was compiled with (null: unknown); that for which the library was
/// configured, which alone need not exist.
std::vector<std::filesystem::path> installed_configs(const char* header);

}  // namespace adaptive::table
