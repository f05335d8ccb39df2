#include "formats/text/edit.hpp"

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>

namespace adaptive::inline v1::table::formats {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::string_view white_space = " \t\r\n";

struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

// The index after the end of the string that begins at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at)
    if (text[at] == '\\') ++at;
  return std::min(at + 1, text.size());
}

// The index after the end of the value that begins at `at`.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  int depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at);
      if (depth == 0) return at;
      continue;
    }
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth <= 0) return depth == 0 ? at + 1 : at;
    if (depth == 0 && (c == ',' || white_space.find(c) != std::string_view::npos)) return at;
    ++at;
  }
  return at;
}

std::size_t skip_white_space(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(white_space, at), text.size());
}

// Calls f(name, value) for each member of the object that begins at `open`. The name is passed as it is
// written between the quotes.
template <class F>
void for_each_member(std::string_view text, std::size_t open, F&& f) {
  std::size_t at = skip_white_space(text, open + 1);
  while (at < text.size() && text[at] == '"') {
    const std::size_t name_end = end_of_string(text, at);
    const std::string_view name = text.substr(at, name_end - at);
    const std::size_t begin = skip_white_space(text, skip_white_space(text, name_end) + 1);
    const std::size_t end = end_of_value(text, begin);
    f(name, Span{begin, end});
    at = skip_white_space(text, end);
    if (at < text.size() && text[at] == ',') at = skip_white_space(text, at + 1);
  }
}

std::optional<Span> find_member(std::string_view text, std::size_t open, const std::string& name) {
  std::optional<Span> found;
  for_each_member(text, open, [&](std::string_view quoted, Span value) {
    const OrderedJson parsed = OrderedJson::parse(quoted, nullptr, false);
    if (parsed.is_string() && parsed.get<std::string>() == name) found = value;
  });
  return found;
}

// The layout of the text.
struct Layout {
  std::string step = {};    // indentation of one level; empty if the text is a single line
  std::string line = "\n";  // line ending
};

Layout layout_of(std::string_view text) {
  const std::size_t open = text.find('{');
  const std::size_t member = skip_white_space(text, open + 1);
  const std::string_view gap = text.substr(open + 1, member - open - 1);
  const std::size_t newline = gap.rfind('\n');
  if (newline == std::string_view::npos) return {};
  Layout layout;
  layout.step = gap.substr(newline + 1);
  if (newline > 0 && gap[newline - 1] == '\r') layout.line = "\r\n";
  if (layout.step.empty()) layout.step = "  ";
  return layout;
}

std::string laid_out(const OrderedJson& value, const Layout& layout, std::size_t level) {
  if (layout.step.empty()) return value.dump();
  const bool tabs = layout.step.front() == '\t';
  const std::string plain = value.dump(tabs ? 1 : static_cast<int>(layout.step.size()), tabs ? '\t' : ' ');
  std::string out;
  for (const char c : plain) {
    if (c != '\n') {
      out += c;
      continue;
    }
    out += layout.line;
    for (std::size_t i = 0; i < level; ++i) out += layout.step;
  }
  return out;
}

void insert_member(std::string& text, std::size_t open, const std::string& name, const OrderedJson& value,
                   const Layout& layout, std::size_t level) {
  std::size_t after = open + 1;
  bool first = true;
  for_each_member(text, open, [&](std::string_view, Span member) {
    after = member.end;
    first = false;
  });
  std::string gap = first ? "" : ", ";
  if (!layout.step.empty()) {
    gap = (first ? "" : ",") + layout.line;
    for (std::size_t i = 0; i < level; ++i) gap += layout.step;
  }
  std::string member = gap + OrderedJson(name).dump() + ": " + laid_out(value, layout, level);
  const std::size_t close = skip_white_space(text, after);
  // An empty object may have its brace on the same line.
  if (!layout.step.empty() && text.find('\n', after) >= close) {
    member += layout.line;
    for (std::size_t i = 1; i < level; ++i) member += layout.step;
  }
  text.insert(after, member);
}

}  // namespace

std::string put(std::string text, const MemberPath& path, const std::string& value) {
  const Layout layout = layout_of(text);
  OrderedJson content = OrderedJson::parse(value);
  std::size_t open = std::min(text.find('{'), text.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::optional<Span> found = find_member(text, open, path[i]);
    const bool last = i + 1 == path.size();
    if (found && !last && text[found->begin] == '{') {
      open = found->begin;
      continue;
    }
    for (std::size_t j = path.size() - 1; j > i; --j) content = OrderedJson{{path[j], std::move(content)}};
    if (found)
      text.replace(found->begin, found->end - found->begin, laid_out(content, layout, i + 1));
    else
      insert_member(text, open, path[i], content, layout, i + 1);
    return text;
  }
  return text;
}

std::string compose(const std::string& empty, std::span<const Edit> edits, int indent) {
  OrderedJson document = OrderedJson::parse(empty);
  for (const auto& [path, value] : edits) {
    OrderedJson* at = &document;
    for (const std::string& name : path) at = &(*at)[name];
    *at = OrderedJson::parse(value);
  }
  return document.dump(indent) + "\n";
}

}  // namespace adaptive::table::formats
