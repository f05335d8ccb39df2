// Finds the files that are installed with the library: tables and presets of models.
#pragma once

#include <filesystem>
#include <vector>

namespace adaptive::inline v1::table {

/// The folder `share/adaptive/configs` of the installation to which the running code belongs. This is the
/// installation of the shared library, or of a statically linked program that is installed in the same
/// prefix. Empty if the folder does not exist, for example if the program was not installed.
std::filesystem::path configs_beside_code();

/// The folders where the installed files may be, best first: `configs_beside_code`; the folder of the
/// installation whose public header `header` a program was compiled with (null: unknown); the folder for
/// which the library was configured. Only the last one need not exist.
std::vector<std::filesystem::path> installed_configs(const char* header);

}  // namespace adaptive::table
