#include "json/checks.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/limits.hpp"

namespace adaptive::inline v1::table {
namespace {

std::string printable(std::string_view text) {
  constexpr std::size_t size_max = 80;
  std::string result(text.substr(0, size_max));
  if (text.size() > size_max) {
    // Do not cut in the middle of a character.
    std::size_t size = size_max;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0u) == 0x80u) --size;
    result.resize(size);
    result += "...";
  }
  for (char& c : result)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return result;
}

}  // namespace

std::string in_quotes(std::string_view text) {
  return '"' + printable(text) + '"';
}

std::string Path::text() const {
  std::string result = parent == nullptr ? std::string() : parent->text();
  if (index != no_index) return result + '/' + std::to_string(index);
  if (parent == nullptr && name.empty()) return result;
  result += '/';
  for (const char c : printable(name)) {
    if (c == '~')
      result += "~0";
    else if (c == '/')
      result += "~1";
    else
      result += c;
  }
  return result;
}

void Notices::add(std::size_t offset, const Path& path, const std::string& what, LogLevel level) {
  if (list_.size() < limits::notices)
    add({source_.line(offset) + '#' + path.text(), what, level});
  else
    ++unlisted_;
}

void Notices::add(Notice notice) {
  if (list_.size() < limits::notices)
    list_.push_back(std::move(notice));
  else
    ++unlisted_;
}

void Notices::syntax_fault(const SyntaxFault& fault) {
  add({source_.line_and_column(fault.offset), "not valid JSON: " + fault.what, LogLevel::error});
}

void Notices::text_fault(std::size_t offset, const std::string& what) {
  add({source_.line_and_column(offset), what, LogLevel::warning});
}

void Notices::unknown_field(JsonValue value, const Path& path, std::string_view of) {
  if (unknown_.size() >= limits::notices) {
    ++unlisted_;
    return;
  }
  if (!unknown_.insert(std::string(of) + '/' + printable(value.name())).second) return;
  add(value.offset(), path / value.name(),
      "unknown field of " + std::string(of) + ", which is ignored here and everywhere else", LogLevel::info);
}

void Notices::finish() {
  if (unlisted_ == 0) return;
  list_.push_back({source_.name(), std::to_string(unlisted_) + " more faults are not listed"});
}

void Checks::wrong_kind(JsonValue value, const Path& path, std::string_view wanted) const {
  notices_.fault(value, path,
                 "must be " + std::string(wanted) + ", but is " + std::string(to_string(value.kind())));
}

bool Checks::is(JsonValue value, JsonKind kind, const Path& path) const {
  if (value.is(kind)) return true;
  wrong_kind(value, path, to_string(kind));
  return false;
}

void Checks::fields(JsonValue object, const Path& path, std::string_view of,
                    std::span<const std::string_view> names,
                    std::span<std::optional<JsonValue>> result) const {
  std::size_t expected = 0;  // files that the library has written have the members in this order
  for (const JsonValue member : object) {
    std::size_t i = expected;
    if (i >= names.size() || names[i] != member.name())
      i = static_cast<std::size_t>(std::find(names.begin(), names.end(), member.name()) - names.begin());
    if (i == names.size()) {
      notices_.unknown_field(member, path, of);
    } else if (result[i]) {
      notices_.fault(member, path / member.name(), "appears again; the first one counts");
    } else {
      result[i] = member;
      expected = i + 1;
    }
  }
}

std::optional<std::string_view> Checks::text(JsonValue value, const Path& path, std::size_t size_max) const {
  if (!is(value, JsonKind::text, path)) return std::nullopt;
  if (value.text().size() <= size_max) return value.text();
  notices_.fault(value, path, "longer than " + std::to_string(size_max) + " bytes");
  return std::nullopt;
}

std::optional<std::string_view> Checks::name(JsonValue value, const Path& path) const {
  if (!is(value, JsonKind::text, path) || !name(value.text(), value.offset(), path)) return std::nullopt;
  return value.text();
}

bool Checks::name(std::string_view name, std::size_t offset, const Path& path) const {
  if (name.empty()) {
    notices_.fault(offset, path, "a name must not be empty");
    return false;
  }
  if (name.size() > limits::name_bytes) {
    notices_.fault(offset, path, "a name longer than " + std::to_string(limits::name_bytes) + " bytes");
    return false;
  }
  return true;
}

std::optional<std::int64_t> Checks::integer(JsonValue value, const Path& path) const {
  if (value.is(JsonKind::integer)) return value.integer();
  // 4096.0 counts as a whole number: some languages write whole numbers like this.
  if (value.is(JsonKind::real) && std::trunc(value.number()) == value.number() &&
      std::abs(value.number()) <= static_cast<double>(limits::count))
    return static_cast<std::int64_t>(value.number());
  if (value.is(JsonKind::real))
    notices_.fault(value, path, "must be a whole number of at most 64 bits");
  else
    wrong_kind(value, path, to_string(JsonKind::integer));
  return std::nullopt;
}

std::optional<std::uint64_t> Checks::count(JsonValue value, const Path& path) const {
  const std::optional<std::int64_t> number = integer(value, path);
  if (!number) return std::nullopt;
  if (*number >= 0 && std::cmp_less_equal(*number, limits::count)) return static_cast<std::uint64_t>(*number);
  notices_.fault(value, path, *number < 0 ? "must not be negative" : "must be at most 2^53");
  return std::nullopt;
}

std::optional<double> Checks::number(JsonValue value, const Path& path, double max) const {
  if (!value.is_number()) {
    wrong_kind(value, path, to_string(JsonKind::real));
    return std::nullopt;
  }
  const double number = value.number();
  if (number >= 0.0 && number <= max) return number == 0.0 ? 0.0 : number;  // no negative zero
  notices_.fault(value, path, number < 0.0 ? "must not be negative" : "too large to be true");
  return std::nullopt;
}

}  // namespace adaptive::table
