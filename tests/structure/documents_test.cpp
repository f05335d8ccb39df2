// Documents name files of the tree and link to each other. This test finds names and links that a move or a
// new heading has broken.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

const fs::path source_root = ADAPTIVE_SOURCE_ROOT;

Lines lines_of(const fs::path& path) {
  std::ifstream file(path);
  Lines lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

// The key is the path relative to the root. configs/models/README.md is left out, because it names files of
// other repositories.
const std::map<std::string, Lines>& documents() {
  static const std::map<std::string, Lines> all = [] {
    std::map<std::string, Lines> found;
    for (const char* name : {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "policies/README.md",
                             "policies/gaussian.md", "src/replay/textbook/README.md"})
      found[name] = lines_of(source_root / name);
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(source_root / "docs"))
      if (entry.path().extension() == ".md")
        found[fs::relative(entry.path(), source_root).generic_string()] = lines_of(entry.path());
    return found;
  }();
  return all;
}

// The words of a line that could be paths.
std::vector<std::string> path_words(const std::string& line) {
  const auto belongs = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '.' || c == '/' || c == '-';
  };
  std::vector<std::string> words;
  for (auto begin = line.begin(); (begin = std::find_if(begin, line.end(), belongs)) != line.end();) {
    const auto end = std::find_if_not(begin, line.end(), belongs);
    std::string word(begin, end);
    while (word.ends_with('.')) word.pop_back();
    words.push_back(word);
    begin = end;
  }
  return words;
}

bool is_file_of_tree(const std::string& word) {
  const auto starts = [&](std::string_view folder) { return word.starts_with(folder); };
  const auto ends = [&](std::string_view ending) { return word.ends_with(ending); };
  constexpr std::string_view folders[] = {"include/", "adaptive/", "src/",   "policies/", "kernels/",
                                          "bench/",   "examples/", "tests/", "docs/",     "scripts/",
                                          "cmake/",   "configs/",  "python/"};
  constexpr std::string_view endings[] = {".hpp", ".cpp", ".cu", ".cuh", ".inl", ".py", ".sh", ".md", ".svg"};
  return std::any_of(std::begin(folders), std::end(folders), starts) &&
         std::any_of(std::begin(endings), std::end(endings), ends);
}

TEST(Documents, NameFilesThatExist) {
  for (const auto& [document, lines] : documents())
    for (std::size_t i = 0; i < lines.size(); ++i)
      for (const std::string& word : path_words(lines[i]))
        if (is_file_of_tree(word)) {
          EXPECT_TRUE(fs::exists(source_root / word) || fs::exists(source_root / "include" / word))
              << document << ":" << i + 1 << ": " << word;
        }
}

// The fragment by which a link refers to a heading, formed by GitHub's rules.
std::string anchor(std::string_view heading) {
  std::string name;
  for (const char c : heading.substr(heading.find_first_not_of("# "))) {
    if (c == ' ')
      name += '-';
    else if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ||
             static_cast<unsigned char>(c) >= 0x80)
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name;
}

std::set<std::string> anchors(const Lines& lines) {
  std::set<std::string> names;
  bool code = false;
  for (const std::string& line : lines) {
    if (line.starts_with("```")) code = !code;
    if (!code && line.starts_with('#')) names.insert(anchor(line));
  }
  return names;
}

// The line without its code spans: in `kernel[grid](...)` there is no link.
std::string without_code(std::string line) {
  for (std::size_t begin = 0; (begin = line.find('`', begin)) != std::string::npos;) {
    const std::size_t end = line.find('`', begin + 1);
    if (end == std::string::npos) break;
    line.erase(begin, end + 1 - begin);
  }
  return line;
}

// The targets of a line's links, "[text](target)".
std::vector<std::string> link_targets(const std::string& text) {
  const std::string line = without_code(text);
  std::vector<std::string> targets;
  for (std::size_t at = 0; (at = line.find("](", at)) != std::string::npos;) {
    at += 2;
    const std::size_t end = line.find(')', at);
    if (end != std::string::npos) targets.push_back(line.substr(at, end - at));
  }
  return targets;
}

TEST(Documents, LinksAreFoundOutsideCodeSpans) {
  EXPECT_EQ(link_targets("`kernel[grid](...)` and [`code`](file.md) and [text](#heading)"),
            (std::vector<std::string>{"file.md", "#heading"}));
}

TEST(Documents, LinkToFilesAndHeadingsThatExist) {
  for (const auto& [document, lines] : documents()) {
    bool code = false;
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (lines[i].starts_with("```")) code = !code;
      if (code) continue;
      for (const std::string& target : link_targets(lines[i])) {
        if (target.starts_with("http")) continue;
        const std::size_t hash = std::min(target.find('#'), target.size());
        const fs::path file =
            hash == 0 ? fs::path(document) : fs::path(document).parent_path() / target.substr(0, hash);
        EXPECT_TRUE(fs::exists(source_root / file)) << document << ":" << i + 1 << ": " << target;
        if (hash < target.size()) {
          EXPECT_TRUE(anchors(lines_of(source_root / file)).contains(target.substr(hash + 1)))
              << document << ":" << i + 1 << ": " << target;
        }
      }
    }
  }
}

// The cells of a table row, without white space and back quotes.
std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> all;
  std::istringstream row(line);
  for (std::string cell; std::getline(row, cell, '|');) {
    std::erase(cell, '`');
    const std::size_t begin = std::min(cell.find_first_not_of(' '), cell.size());
    all.push_back(cell.substr(begin, cell.find_last_not_of(' ') + 1 - begin));
  }
  return all;
}

TEST(Documents, TheWalkOfAKeyNamesFunctionsOfTheFilesThatItNames) {
  const Lines& lines = documents().at("docs/architecture.md");
  const auto begin = std::find(lines.begin(), lines.end(), "## The walk of one key");
  ASSERT_NE(begin, lines.end());
  const auto end =
      std::find_if(begin + 1, lines.end(), [](const std::string& l) { return l.starts_with("## "); });
  int steps = 0;
  std::string file;
  for (auto line = begin; line != end; ++line) {
    const std::vector<std::string> row = cells(*line);
    if (row.size() < 5) continue;
    if (row[3] != "the same") file = row[3].substr(0, row[3].find(' '));
    if (!is_file_of_tree(file)) continue;
    const Lines code = lines_of(source_root / file);
    const std::string name = row[2].substr(row[2].rfind(':') + 1) + "(";
    EXPECT_TRUE(std::any_of(code.begin(), code.end(), [&](const std::string& l) {
      return l.find(name) != l.npos;
    })) << *line;
    ++steps;
  }
  EXPECT_GE(steps, 10);
}

}  // namespace
