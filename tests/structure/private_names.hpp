// Whether names that are private to a file, in an anonymous namespace, differ between the files of a library.
// Where files are compiled as one, a name that two of them define in one namespace is an error, and one that
// a file defines in an inner namespace hides the other silently.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "tests/structure/source_tree.hpp"

namespace adaptive::structure {

/// A name that a file defines in an anonymous namespace.
struct PrivateName {
  std::string name;
  std::string scope;      ///< the namespaces around the anonymous one, each followed by "::"
  std::string statement;  ///< of an alias: the whole of it; otherwise empty
  std::size_t line = 0;   ///< from 1
};

/// `code` is a source file as `without_comments_and_literals` returns it.
std::vector<PrivateName> private_names(std::string_view code);

/// Checks the sources of every library. Two files may repeat an alias if both mean the same type. Throws
/// std::runtime_error if a file cannot be read.
std::vector<Violation> check_private_names(const std::filesystem::path& root);

}  // namespace adaptive::structure
