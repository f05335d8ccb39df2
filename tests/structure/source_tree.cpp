#include "tests/structure/source_tree.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace adaptive::structure {
namespace fs = std::filesystem;

std::string to_text(const std::vector<Violation>& violations) {
  std::string text;
  for (const Violation& violation : violations)
    text += violation.file.string() + ":" + std::to_string(violation.line) + ": " + violation.message + "\n";
  return text;
}

std::optional<std::string> file_of_include(const fs::path& root, const std::string& from,
                                           const std::string& header) {
  const std::array<fs::path, 4> places = {fs::path(from).parent_path(), "", "src", "include"};
  for (const fs::path& place : places) {
    const fs::path candidate = (place / header).lexically_normal();
    if (fs::is_regular_file(root / candidate)) return candidate.generic_string();
  }
  return std::nullopt;
}

bool is_word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::string without_comments_and_literals(std::string_view text) {
  std::string code(text);
  const auto blank = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < std::min(end, code.size()); ++i)
      if (code[i] != '\n') code[i] = ' ';
  };
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    const std::string_view rest = text.substr(i);
    if (rest.starts_with("//")) {
      end = std::min(text.find('\n', i), text.size());
      blank(i, end);
    } else if (rest.starts_with("/*")) {
      end = std::min(text.find("*/", i), text.size() - 2) + 2;
      blank(i, end);
    } else if (rest.starts_with("R\"")) {
      const std::size_t open = std::min(text.find('(', i), text.size() - 1);
      const std::string close = ")" + std::string(text.substr(i + 2, open - i - 2)) + "\"";
      end = std::min(text.find(close, open), text.size() - close.size()) + close.size();
      blank(i + 2, end - 1);
    } else if (text[i] == '"' || (text[i] == '\'' && (i == 0 || !is_word_character(text[i - 1])))) {
      while (end < text.size() && text[end] != text[i] && text[end] != '\n') end += text[end] == '\\' ? 2 : 1;
      blank(i + 1, end);
      ++end;
    }
    i = end;
  }
  return code;
}

namespace {

std::string content_of(const fs::path& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::set<std::string> words_of(const std::string& code) {
  std::set<std::string> words;
  for (auto begin = code.begin();
       (begin = std::find_if(begin, code.end(), is_word_character)) != code.end();) {
    const auto end = std::find_if_not(begin, code.end(), is_word_character);
    words.emplace(begin, end);
    begin = end;
  }
  return words;
}

}  // namespace

std::vector<std::string> SourceTree::files(const std::vector<std::string_view>& folders,
                                           const std::vector<std::string_view>& endings) const {
  std::vector<std::string> found;
  for (const std::string_view folder : folders) {
    if (!fs::is_directory(root_ / folder)) continue;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root_ / folder)) {
      const std::string extension = entry.path().extension().string();
      if (entry.is_regular_file() && std::find(endings.begin(), endings.end(), extension) != endings.end())
        found.push_back(fs::relative(entry.path(), root_).generic_string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

const SourceText& SourceTree::text(const std::string& file) {
  const auto [place, is_new] = texts_.try_emplace(file);
  SourceText& text = place->second;
  if (!is_new) return text;
  static const std::regex include_line(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"])re");
  const std::string content = content_of(root_ / file);
  std::istringstream written(content);
  std::smatch match;
  for (std::string line; std::getline(written, line);) {
    if (line.find("include") == line.npos || !std::regex_search(line, match, include_line)) continue;
    if (std::optional<std::string> target = file_of_include(root_, file, match[1].str()))
      text.own.insert(std::move(*target));
    else
      text.foreign.insert(match[1].str());
  }
  text.code = without_comments_and_literals(content);
  std::istringstream code(text.code);
  for (std::string line; std::getline(code, line);) text.lines.push_back(line);
  text.words = words_of(text.code);
  return text;
}

const std::set<std::string>& SourceTree::reached(const std::string& file) {
  const auto [place, is_new] = reached_.try_emplace(file);
  std::set<std::string>& all = place->second;
  if (!is_new) return all;
  std::vector<std::string> waiting = {file};
  while (!waiting.empty()) {
    const std::string next = std::move(waiting.back());
    waiting.pop_back();
    if (!all.insert(next).second) continue;
    const std::set<std::string>& own = text(next).own;
    waiting.insert(waiting.end(), own.begin(), own.end());
  }
  return all;
}

}  // namespace adaptive::structure
