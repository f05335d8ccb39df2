// The source files of the tree as text, with what they include.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace adaptive::structure {

/// A place in the tree at which a rule does not hold.
struct Violation {
  std::filesystem::path file;  ///< relative to the root of the tree
  std::size_t line = 0;        ///< from 1
  std::string message;
};

/// Returns one line "file:line: message" for each violation.
std::string to_text(const std::vector<Violation>& violations);

/// The file of this tree that an include line of `from` refers to, relative to the root. Nothing if the line
/// refers to a file of another project.
std::optional<std::string> file_of_include(const std::filesystem::path& root, const std::string& from,
                                           const std::string& header);

/// Returns the text with spaces in place of comments and of what string and character literals contain. Lines
/// keep their numbers and columns.
std::string without_comments_and_literals(std::string_view text);

bool is_word_character(char c);

/// One file.
struct SourceText {
  std::string code;                ///< as `without_comments_and_literals` returns it
  std::vector<std::string> lines;  ///< of `code`
  std::set<std::string> words;     ///< identifiers and keywords of `code`
  std::set<std::string> own;       ///< included files of the tree, relative to the root
  std::set<std::string> foreign;   ///< other included headers, as written
};

/// Reads files once, when they are asked for. Every path is relative to the root. The functions throw
/// std::runtime_error if a file cannot be read.
class SourceTree {
 public:
  explicit SourceTree(std::filesystem::path root) : root_(std::move(root)) {}

  /// The files of these folders whose names have one of the endings, sorted. Folders that do not exist are
  /// passed over.
  std::vector<std::string> files(const std::vector<std::string_view>& folders,
                                 const std::vector<std::string_view>& endings) const;

  const SourceText& text(const std::string& file);

  /// The files that `file` includes, directly or indirectly, and `file` itself.
  const std::set<std::string>& reached(const std::string& file);

 private:
  std::filesystem::path root_;
  std::map<std::string, SourceText> texts_;
  std::map<std::string, std::set<std::string>> reached_;
};

}  // namespace adaptive::structure
