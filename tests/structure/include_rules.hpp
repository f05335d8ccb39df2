// Whether files include what they use. A compiler that compiles several files as one does not notice what a
// later file has forgotten. The rule is textual: it knows the usual names of the C++ library and the names
// that headers of this tree declare outside classes.
#pragma once

#include <filesystem>
#include <vector>

#include "tests/structure/source_tree.hpp"

namespace adaptive::structure {

/// Checks the headers and sources of the libraries: each reaches through its include lines, directly or by
/// way of other files of the tree, a header that declares each name that it uses. Throws std::runtime_error
/// if a file cannot be read.
std::vector<Violation> check_includes(const std::filesystem::path& root);

}  // namespace adaptive::structure
