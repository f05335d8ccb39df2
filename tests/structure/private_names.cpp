#include "tests/structure/private_names.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace adaptive::structure {
namespace {

std::string_view without_white_space_around(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \n") + 1 - begin);
}

std::string_view last_word(std::string_view text) {
  text = without_white_space_around(text);
  std::size_t begin = text.size();
  while (begin > 0 && is_word_character(text[begin - 1])) --begin;
  return text.substr(begin);
}

std::string_view first_word(std::string_view text) {
  std::size_t end = 0;
  while (end < text.size() && is_word_character(text[end])) ++end;
  return text.substr(0, end);
}

// The place of the first of `wanted` outside parentheses, brackets and template arguments; the size if there
// is none.
std::size_t find_outside(std::string_view text, std::string_view wanted) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (depth == 0 && wanted.find(text[i]) != wanted.npos) return i;
    if (text[i] == '(' || text[i] == '<' || text[i] == '[') ++depth;
    if (text[i] == ')' || text[i] == ']' || (text[i] == '>' && i > 0 && text[i - 1] != '-')) --depth;
  }
  return text.size();
}

// Without attributes and the parameters of a template, which stand before a declaration.
std::string_view without_prefix(std::string_view statement) {
  while (true) {
    statement = without_white_space_around(statement);
    const bool is_template = first_word(statement) == "template";
    if (!is_template && !statement.starts_with("[[")) return statement;
    std::size_t end = is_template ? statement.find('<') : 0;
    int depth = 0;
    for (; end < statement.size(); ++end) {
      if (statement[end] == '<' || statement[end] == '[') ++depth;
      if ((statement[end] == '>' || statement[end] == ']') && --depth == 0) break;
    }
    statement.remove_prefix(std::min(end + 1, statement.size()));
  }
}

// The name that a statement at namespace scope declares, up to its first brace or semicolon. Empty if it
// declares none.
std::string_view declared_by(std::string_view statement) {
  if (!is_word_character(statement.front()) && !statement.starts_with("::"))
    return {};  // the rest of a statement
  const std::string_view kind = first_word(statement);
  if (kind == "using" || kind == "namespace") return last_word(statement.substr(0, statement.find('=')));
  if (kind == "static_assert" || kind == "extern" || kind == "friend") return {};
  if (kind == "class" || kind == "struct" || kind == "enum" || kind == "union") {
    std::size_t end = statement.find(" final");
    for (std::size_t i = 1; i < std::min(end, statement.size()); ++i)
      if (statement[i] == ':' && statement[i - 1] != ':' && !statement.substr(i).starts_with("::")) end = i;
    return last_word(statement.substr(0, end));
  }
  // The bounds of a kernel stand between its type and its name.
  const std::size_t bounds = statement.find("__launch_bounds__");
  if (bounds != statement.npos) {
    const std::string_view rest = statement.substr(bounds);
    return first_word(without_white_space_around(rest.substr(find_outside(rest, " \n"))));
  }
  const std::string_view head = statement.substr(0, find_outside(statement, "(=["));
  const std::string_view name = last_word(head);
  const std::string_view before =
      without_white_space_around(head.substr(0, head.find_last_not_of(" \n") + 1 - name.size()));
  const bool is_member = before.ends_with("::");
  return is_member || before.empty() ? std::string_view() : name;
}

// Folders whose sources are compiled into one library; the first that fits counts.
struct Library {
  std::string_view folder;
  std::string_view name;
};
constexpr Library libraries[] = {
    {"src/store/redis/", "adaptive_redis"},
    {"src/cuda/", "adaptive_cuda"},
    {"src/replay/", "adaptive_replay"},
    {"src/tuning/", "adaptive_tuning"},
    {"src/cli/", "adaptive_cli"},
    {"src/", "adaptive"},
    {"policies/", "adaptive"},
    {"kernels/", "adaptive_kernels"},
    {"python/", "_core"},
    {"examples/serving/", "adaptive_serving"},
};

std::string library_of(const std::string& file) {
  for (const Library& library : libraries) {
    if (!file.starts_with(library.folder)) continue;
    const bool on_gpu = library.name == "adaptive_kernels" && file.find("/cuda") != file.npos;
    return std::string(library.name) + (on_gpu ? "_cuda" : "") + (file.ends_with(".cu") ? ", for nvcc" : "");
  }
  return {};
}

// A file for one instruction set is never compiled together with another one, which has the same names for
// other instructions.
bool is_compiled_alone(const std::string& file) {
  return file.starts_with("kernels/") && file.find("/cpu/") != file.npos && file.find("avx") != file.npos;
}

struct Place {
  std::string file;
  PrivateName name;
};

bool collide(const Place& a, const Place& b) {
  if (a.file == b.file) return false;
  if (!a.name.statement.empty() && a.name.statement == b.name.statement) return false;
  return a.name.scope.starts_with(b.name.scope) || b.name.scope.starts_with(a.name.scope);
}

}  // namespace

std::vector<PrivateName> private_names(std::string_view code) {
  std::vector<PrivateName> names;
  std::vector<std::optional<std::string>>
      scopes;             // namespaces by their names; nothing: another pair of braces
  std::size_t begin = 0;  // of the statement
  std::size_t line = 1;
  for (std::size_t i = 0; i < code.size(); ++i) {
    const bool at_namespace_scope =
        std::all_of(scopes.begin(), scopes.end(), [](const auto& scope) { return scope.has_value(); });
    const bool is_private = at_namespace_scope && std::find(scopes.begin(), scopes.end(), "") != scopes.end();
    if (code[i] == '\n') ++line;
    if (code[i] == '#' && at_namespace_scope) {  // a directive, to the end of the line
      while (i + 1 < code.size() && code[i + 1] != '\n') ++i;
      begin = i + 1;
      continue;
    }
    if (code[i] != '{' && code[i] != '}' && code[i] != ';') continue;
    const std::string_view whole = without_prefix(code.substr(begin, i - begin));
    const bool opens_namespace = code[i] == '{' && at_namespace_scope &&
                                 (first_word(whole) == "namespace" || whole.starts_with("inline namespace"));
    if (is_private && code[i] != '}' && !opens_namespace && !whole.empty()) {
      PrivateName found;
      found.name = declared_by(whole);
      for (const auto& scope : scopes)
        if (!scope->empty()) found.scope += *scope + "::";
      if (first_word(whole) == "using" || first_word(whole) == "namespace") found.statement = whole;
      found.line = line - static_cast<std::size_t>(std::count(whole.begin(), whole.end(), '\n'));
      if (!found.name.empty()) names.push_back(std::move(found));
    }
    if (code[i] == '{') {
      if (opens_namespace)
        scopes.emplace_back(without_white_space_around(whole.substr(whole.find("namespace") + 9)));
      else
        scopes.emplace_back(std::nullopt);
    } else if (code[i] == '}' && !scopes.empty()) {
      scopes.pop_back();
    }
    begin = i + 1;
  }
  return names;
}

std::vector<Violation> check_private_names(const std::filesystem::path& root) {
  SourceTree tree(root);
  std::map<std::pair<std::string, std::string>, std::vector<Place>> places;  // by library and name
  for (const std::string& file :
       tree.files({"src", "policies", "kernels", "python", "examples/serving"}, {".cpp", ".cu"})) {
    if (is_compiled_alone(file)) continue;
    for (PrivateName& name : private_names(tree.text(file).code)) {
      std::vector<Place>& same = places[{library_of(file), name.name}];
      same.push_back({file, std::move(name)});
    }
  }
  std::vector<Violation> violations;
  for (const auto& [key, same] : places)
    for (std::size_t i = 0; i < same.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (collide(same[i], same[j])) {
          violations.push_back({same[i].file, same[i].name.line,
                                "defines " + key.second + ", a name that is private to " + same[j].file});
          break;
        }
  return violations;
}

}  // namespace adaptive::structure
