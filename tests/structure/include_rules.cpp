#include "tests/structure/include_rules.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace adaptive::structure {
namespace {

namespace fs = std::filesystem;

// Headers of the C++ library and what they declare in namespace std. A name may stand with several headers.
struct StandardHeader {
  std::string_view header;
  std::string_view names;
};
constexpr StandardHeader standard_headers[] = {
    {"algorithm",
     "adjacent_find all_of any_of binary_search clamp copy copy_if copy_n count count_if equal equal_range "
     "fill fill_n find "
     "find_if find_if_not for_each generate includes is_sorted lexicographical_compare lower_bound make_heap "
     "max max_element "
     "merge min min_element minmax minmax_element mismatch none_of nth_element partial_sort partition "
     "pop_heap push_heap "
     "ranges remove remove_if replace reverse rotate search set_difference set_union shuffle sort "
     "stable_partition "
     "stable_sort transform unique upper_bound"},
    {"array", "array"},
    {"atomic",
     "atomic atomic_ref atomic_thread_fence memory_order_acquire memory_order_relaxed memory_order_release"},
    {"bit", "bit_cast bit_ceil bit_floor bit_width countl_zero countr_zero has_single_bit popcount"},
    {"cctype", "isalnum isalpha isdigit isspace tolower toupper"},
    {"charconv", "from_chars to_chars"},
    {"chrono", "chrono"},
    {"cmath",
     "abs cbrt ceil copysign cos erf erfc exp expm1 fabs floor fmod frexp hypot isfinite isinf isnan ldexp "
     "lgamma llround "
     "log log10 log1p log2 lround nearbyint nextafter pow round signbit sin sqrt tanh tgamma trunc"},
    {"compare", "strong_ordering"},
    {"concepts", "convertible_to floating_point integral invocable same_as"},
    {"condition_variable", "condition_variable"},
    {"csignal", "raise signal"},
    {"cstddef", "byte max_align_t nullptr_t ptrdiff_t size_t"},
    {"cstdint", "int16_t int32_t int64_t int8_t intptr_t uint16_t uint32_t uint64_t uint8_t uintptr_t"},
    {"cstdio", "FILE fclose fflush fopen fprintf fputs printf rename snprintf"},
    {"cstdlib", "abort abs exit free getenv malloc strtod strtol strtoll strtoull"},
    {"cstring", "memchr memcmp memcpy memset strchr strcmp strerror strlen"},
    {"ctime", "gmtime strftime time_t tm"},
    {"deque", "deque"},
    {"exception",
     "current_exception exception exception_ptr rethrow_exception terminate uncaught_exceptions"},
    {"filesystem", "filesystem"},
    {"fstream", "fstream ifstream ofstream"},
    {"functional", "cref function greater hash less plus ref"},
    {"future", "async future promise"},
    {"iomanip", "setprecision setw"},
    {"ios", "ios"},
    {"iostream", "cerr cin clog cout"},
    {"istream", "istream"},
    {"iterator",
     "advance back_inserter distance istreambuf_iterator make_move_iterator next ostream_iterator prev"},
    {"limits", "numeric_limits"},
    {"list", "list"},
    {"map", "map multimap"},
    {"memory", "enable_shared_from_this make_shared make_unique shared_ptr unique_ptr weak_ptr"},
    {"mutex",
     "adopt_lock call_once defer_lock lock_guard mutex once_flag recursive_mutex scoped_lock try_to_lock "
     "unique_lock"},
    {"new", "bad_alloc launder nothrow"},
    {"numbers", "numbers"},
    {"numeric", "accumulate gcd inner_product iota lcm midpoint partial_sum reduce"},
    {"optional", "make_optional nullopt optional"},
    {"ostream", "ostream"},
    {"queue", "priority_queue queue"},
    {"random",
     "exponential_distribution lognormal_distribution mt19937 mt19937_64 normal_distribution random_device "
     "uniform_int_distribution uniform_real_distribution"},
    {"regex", "regex regex_match regex_search smatch"},
    {"set", "multiset set"},
    {"shared_mutex", "shared_lock shared_mutex"},
    {"span", "as_bytes span"},
    {"sstream", "istringstream ostringstream stringstream"},
    {"stdexcept", "invalid_argument length_error logic_error out_of_range runtime_error"},
    {"string", "getline stod stoi string to_string"},
    {"string_view", "string_view"},
    {"system_error", "errc error_code generic_category make_error_code system_category system_error"},
    {"thread", "jthread this_thread thread"},
    {"tuple", "apply make_tuple tie tuple tuple_size_v"},
    {"type_traits",
     "conditional_t decay_t enable_if_t false_type invoke_result_t is_arithmetic_v is_constructible_v "
     "is_convertible_v "
     "is_enum_v is_floating_point_v is_integral_v is_invocable_v is_nothrow_move_constructible_v is_same_v "
     "is_trivially_copyable_v remove_cvref_t true_type underlying_type_t"},
    {"unordered_map", "unordered_map unordered_multimap"},
    {"unordered_set", "unordered_set"},
    {"utility",
     "as_const cmp_less declval exchange forward in_place index_sequence index_sequence_for "
     "make_index_sequence make_pair "
     "move pair swap"},
    {"variant", "get_if holds_alternative monostate variant visit"},
    {"vector", "vector"},
};

// Headers that are as good as another one, because all libraries declare its common names in them.
struct Substitutes {
  std::string_view header;
  std::vector<std::string_view> others;
};
const std::vector<Substitutes>& substitutes() {
  static const std::vector<Substitutes> all = {
      {"cstddef",
       {"array", "cstdio", "cstdlib", "cstring", "memory", "span", "string", "string_view", "vector"}},
      {"exception", {"new", "stdexcept"}},
      {"initializer_list", {"map", "set", "string", "utility", "vector"}},
      {"ios", {"fstream", "iostream", "istream", "ostream", "sstream"}},
      {"istream", {"fstream", "iosfwd", "iostream", "sstream"}},
      {"iterator", {"array", "deque", "list", "map", "set", "span", "string", "vector"}},
      {"new", {"memory"}},
      {"ostream", {"fstream", "ios", "iosfwd", "iostream", "sstream"}},
      {"stdexcept", {"system_error"}},
      {"string", {"filesystem", "fstream", "sstream"}},
      {"string_view", {"string"}},
      {"system_error", {"filesystem"}},
      {"utility",
       {"algorithm", "array", "functional", "map", "memory", "optional", "set", "string", "tuple", "variant",
        "vector"}},
  };
  return all;
}

// The headers of the C++ library by the names that they declare.
const std::map<std::string, std::vector<std::string_view>>& headers_by_name() {
  static const auto all = [] {
    std::map<std::string, std::vector<std::string_view>> found;
    for (const StandardHeader& standard : standard_headers) {
      std::istringstream names{std::string(standard.names)};
      for (std::string name; names >> name;) found[name].push_back(standard.header);
    }
    return found;
  }();
  return all;
}

// Namespaces of other projects, and the beginning of the names of their headers.
struct Project {
  std::string_view scope;
  std::string_view headers;
};
constexpr Project projects[] = {{"Eigen::", "Eigen/"},
                                {"boost::", "boost/"},
                                {"nlohmann::", "nlohmann/"},
                                {"fmt::", "fmt/"},
                                {"CLI::", "CLI/"}};

bool has_header(const std::set<std::string>& included, std::string_view header) {
  if (included.contains(std::string(header))) return true;
  for (const Substitutes& entry : substitutes())
    if (entry.header == header)
      return std::any_of(entry.others.begin(), entry.others.end(),
                         [&](std::string_view other) { return included.contains(std::string(other)); });
  return false;
}

// One occurrence of a name in a line of code.
struct Use {
  std::string name;
  std::string qualifier;     // "std::", "table::formats::", "::"; empty if there is none
  bool is_member = false;    // behind `.` or `->`
  bool is_declared = false;  // behind a type, so that this declares the name or defines it
  bool is_called = false;    // before a parenthesis
};

bool is_keyword_before_a_use(std::string_view word) {
  constexpr std::array<std::string_view, 11> keywords = {
      "return", "throw", "case", "else", "new", "delete", "not", "and", "or", "co_return", "do"};
  return std::find(keywords.begin(), keywords.end(), word) != keywords.end();
}

// Whether the type of a declaration stands on the line before, which is `previous`.
bool continues_a_declaration(const std::string& line, std::size_t begin, const std::string& previous) {
  return line.find_first_not_of(' ') == begin && !previous.empty() &&
         (is_word_character(previous.back()) || previous.back() == ')' || previous.back() == '>');
}

std::vector<Use> uses_of(const std::string& line, const std::string& previous) {
  std::vector<Use> all;
  for (std::size_t i = 0; i < line.size();) {
    if (!is_word_character(line[i]) && line.compare(i, 2, "::") != 0) {
      ++i;
      continue;
    }
    Use use;
    const std::size_t begin = i;
    std::size_t word = i;
    while (i < line.size() && (is_word_character(line[i]) || line.compare(i, 2, "::") == 0)) {
      if (line[i] != ':') {
        ++i;
        continue;
      }
      i += 2;
      word = i;
    }
    use.qualifier = line.substr(begin, word - begin);
    use.name = line.substr(word, i - word);
    std::size_t end = begin;  // of what stands before the name
    while (end > 0 && (line[end - 1] == ' ' || line[end - 1] == '&' || line[end - 1] == '*')) --end;
    const std::string_view before = std::string_view(line).substr(0, end);
    std::size_t first = end;
    while (first > 0 && is_word_character(line[first - 1])) --first;
    use.is_member = before.ends_with('.') || before.ends_with("->");
    const bool behind_a_type = first < end || before.ends_with('>') || before.ends_with(']');
    const std::size_t after = line.find_first_not_of(' ', i);
    use.is_called = after != line.npos && line[after] == '(';
    const bool begins_a_line = begin == 0 || continues_a_declaration(line, begin, previous);
    use.is_declared = use.qualifier.empty() && !use.is_member &&
                      ((behind_a_type && !is_keyword_before_a_use(before.substr(first))) ||
                       (begins_a_line && use.is_called));
    if (!use.name.empty()) all.push_back(std::move(use));
  }
  return all;
}

// The first name of namespace std that a line uses without a header for it, and that header.
std::optional<std::pair<std::string, std::string_view>> missing_standard(
    const std::string& line, const std::set<std::string>& included) {
  for (std::size_t at = 0; (at = line.find("std::", at)) != line.npos;) {
    const bool whole = at == 0 || !is_word_character(line[at - 1]);
    at += 5;
    const auto begin = line.begin() + static_cast<std::ptrdiff_t>(at);
    const std::string name(begin, std::find_if_not(begin, line.end(), is_word_character));
    const auto known = headers_by_name().find(name);
    if (!whole || known == headers_by_name().end()) continue;
    const std::vector<std::string_view>& headers = known->second;
    if (std::none_of(headers.begin(), headers.end(),
                     [&](std::string_view header) { return has_header(included, header); }))
      return std::pair(name, headers.front());
  }
  return std::nullopt;
}

// The name that a line at namespace scope declares: those lines begin in the first column. Empty if it
// declares none.
std::string declared_name(const std::string& line) {
  constexpr std::array<std::string_view, 10> others = {"return",  "namespace", "template",      "public",
                                                       "private", "friend",    "static_assert", "extern",
                                                       "typedef", "explicit"};
  if (line.empty() || !(std::isalpha(static_cast<unsigned char>(line[0])) != 0 || line[0] == '[')) return {};
  std::istringstream words(line);
  std::string first;
  std::string second;
  words >> first >> second;
  if (std::find(others.begin(), others.end(), first) != others.end()) return {};
  const auto word_before = [&](std::size_t end) {
    while (end > 0 && line[end - 1] == ' ') --end;
    std::size_t begin = end;
    while (begin > 0 && is_word_character(line[begin - 1])) --begin;
    return begin == 0 ? std::string() : line.substr(begin, end - begin);  // a name follows a type
  };
  if (first == "using") return line.find('=') == line.npos ? std::string() : word_before(line.find('='));
  if (first == "class" || first == "struct" || first == "enum") {
    std::size_t end = line.find('{');
    if (end == line.npos) return {};  // declared only
    for (std::size_t i = 0; i < end; ++i)
      if (line[i] == ':' && line.compare(i, 2, "::") != 0 && (i == 0 || line[i - 1] != ':')) end = i;
    const std::size_t final_at = line.find(" final");
    return word_before(std::min(end, final_at));
  }
  return word_before(std::min(line.find_first_of("(={;["), line.size()));
}

bool is_other_scope(const std::string& qualifier) {
  constexpr std::array<std::string_view, 3> not_ours = {"std::", "fs::", "::"};
  const auto begins = [&](std::string_view scope) { return qualifier.starts_with(scope); };
  if (std::any_of(not_ours.begin(), not_ours.end(), begins)) return true;
  if (std::any_of(std::begin(projects), std::end(projects),
                  [&](const Project& p) { return begins(p.scope); }))
    return true;
  // A member of a class: Class::member.
  if (qualifier.size() < 3) return false;
  std::size_t begin = qualifier.size() - 2;
  while (begin > 0 && is_word_character(qualifier[begin - 1])) --begin;
  return std::isupper(static_cast<unsigned char>(qualifier[begin])) != 0;
}

// What names of the tree a file uses, and which of them it may declare itself.
struct OwnNames {
  std::map<std::string, std::size_t> used;  // with the line of the first use
  std::set<std::string> declared;
};

OwnNames own_names(const SourceText& text, const std::map<std::string, std::set<std::string>>& declarations) {
  OwnNames names;
  for (std::size_t i = 0; i < text.lines.size(); ++i) {
    if (text.lines[i].starts_with("#")) continue;
    for (const Use& use : uses_of(text.lines[i], i == 0 ? "" : text.lines[i - 1])) {
      if (!declarations.contains(use.name)) continue;
      const bool is_type = std::isupper(static_cast<unsigned char>(use.name[0])) != 0;
      if (use.is_declared)
        names.declared.insert(use.name);
      else if (!use.is_member && !is_other_scope(use.qualifier) && (is_type || use.is_called))
        names.used.try_emplace(use.name, i + 1);
    }
  }
  return names;
}

// Names of the C++ library and of other projects.
void check_foreign(const std::string& file, SourceTree& tree, std::vector<Violation>& violations) {
  std::set<std::string> included;
  for (const std::string& reached : tree.reached(file))
    included.insert(tree.text(reached).foreign.begin(), tree.text(reached).foreign.end());
  const std::vector<std::string>& lines = tree.text(file).lines;
  std::set<std::string_view> reported;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto missing = missing_standard(lines[i], included);
    if (missing && reported.insert(missing->second).second)
      violations.push_back(
          {file, i + 1, "uses std::" + missing->first + " without <" + std::string(missing->second) + ">"});
    for (const Project& project : projects) {
      const auto belongs = [&](const std::string& header) { return header.starts_with(project.headers); };
      if (lines[i].find(project.scope) != std::string::npos &&
          std::none_of(included.begin(), included.end(), belongs) && reported.insert(project.scope).second)
        violations.push_back({file, i + 1, "uses " + std::string(project.scope) + " without its header"});
    }
  }
}

// Names of this tree. A name that stands anywhere in a file that is reached counts as known.
void check_own(const std::string& file, const std::map<std::string, std::set<std::string>>& declarations,
               SourceTree& tree, std::vector<Violation>& violations) {
  const std::set<std::string>& reached = tree.reached(file);
  const OwnNames names = own_names(tree.text(file), declarations);
  for (const auto& use : names.used) {
    const std::string& name = use.first;
    const std::set<std::string>& headers = declarations.at(name);
    if (headers.contains(file) || names.declared.contains(name)) continue;
    const auto knows = [&](const std::string& other) {
      return other != file && tree.text(other).words.contains(name);
    };
    if (std::none_of(reached.begin(), reached.end(), knows))
      violations.push_back({file, use.second, "uses " + name + " without \"" + *headers.begin() + "\""});
  }
}

}  // namespace

std::vector<Violation> check_includes(const fs::path& root) {
  SourceTree tree(root);
  const std::vector<std::string> files =
      tree.files({"include", "src", "policies", "kernels"}, {".hpp", ".cpp"});
  std::map<std::string, std::set<std::string>> declarations;  // headers by the name that they declare
  for (const std::string& file : files)
    if (file.ends_with(".hpp"))
      for (const std::string& line : tree.text(file).lines)
        if (std::string name = declared_name(line); !name.empty()) declarations[name].insert(file);

  std::vector<Violation> violations;
  for (const std::string& file : files) {
    const std::string header = fs::path(file).replace_extension(".hpp").generic_string();
    if (std::binary_search(files.begin(), files.end(), header) && !tree.reached(file).contains(header))
      violations.push_back({file, 1, "does not include " + header});
    check_foreign(file, tree, violations);
    check_own(file, declarations, tree, violations);
  }
  return violations;
}

}  // namespace adaptive::structure
