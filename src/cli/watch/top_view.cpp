#include "cli/watch/top_view.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

#include "cli/tune/console.hpp"

namespace adaptive::inline v1::cli {
namespace {

constexpr std::size_t changes_shown = 8;

// Members of an answer, which comes from another process: one that is missing or of another type counts as
// empty.
double member_number(const Json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_number() ? at->get<double>() : 0.0;
}
std::string member_text(const Json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
}
bool member_flag(const Json& json, const char* name) {
  const auto at = json.find(name);
  return at != json.end() && at->is_boolean() && at->get<bool>();
}
const Json& member_list(const Json& json, const char* name) {
  static const Json none = Json::array();
  const auto at = json.find(name);
  return at != json.end() && at->is_array() ? *at : none;
}

double sort_value(const Json& key, const std::string& sort) {
  if (sort == "calls") return member_number(key, "calls");
  if (sort == "saved") return member_number(key, "saved_s");
  if (sort == "lost") return member_number(key, "lost_s");
  if (sort == "changed") return member_number(key, "changed_epoch");
  return member_number(key, "time_s");
}

std::string selector_name(const Json& status) {
  return fmt::format("{:.0f}.{:.0f}", member_number(status, "process"), member_number(status, "selector"));
}

// 1234567 becomes "1.23M".
std::string count_text(double count) {
  if (count >= 1e9) return fmt::format("{:.3g}G", count / 1e9);
  if (count >= 1e6) return fmt::format("{:.3g}M", count / 1e6);
  if (count >= 1e4) return fmt::format("{:.3g}k", count / 1e3);
  return fmt::format("{:.0f}", count);
}

std::string seconds_text(double seconds) {
  if (seconds == 0.0) return "0 s";
  const double size = std::abs(seconds);
  if (size >= 3600.0) return fmt::format("{:.1f} h", seconds / 3600.0);
  if (size >= 100.0) return fmt::format("{:.0f} s", seconds);
  if (size >= 1.0) return fmt::format("{:.1f} s", seconds);
  if (size >= 1e-3) return fmt::format("{:.3g} ms", seconds * 1e3);
  return fmt::format("{:.3g} µs", seconds * 1e6);
}

std::string ns_text(double ns) {
  return ns > 0.0 ? latency_text(ns / 1e3) : "-";
}

std::string confidence_text(const Json& key) {
  if (member_flag(key, "confirmed")) return "confirmed";
  const auto at = key.find("confidence");
  // 99.96 % is not certain.
  return at == key.end() || !at->is_number()
             ? "-"
             : fmt::format("{:.1f} %", std::floor(1000.0 * at->get<double>()) / 10.0);
}

// Columns that are as wide as their widest cell.
class Table {
 public:
  /// A heading that begins with '>' is of a column whose cells end at the same place.
  explicit Table(std::vector<std::string> headings) {
    for (std::string& heading : headings) {
      is_number_.push_back(heading.front() == '>');
      if (is_number_.back()) heading.erase(0, 1);
    }
    lines_.push_back(std::move(headings));
  }
  void add(std::vector<std::string> cells) { lines_.push_back(std::move(cells)); }
  bool is_empty() const { return lines_.size() == 1; }

  std::vector<std::string> text() const {
    std::vector<std::size_t> widths(is_number_.size(), 0);
    for (const auto& line : lines_)
      for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], length(line[i]));
    std::vector<std::string> out;
    for (const auto& line : lines_) {
      std::string one;
      for (std::size_t i = 0; i < line.size(); ++i) {
        const std::string space(widths[i] - length(line[i]), ' ');
        one += (i == 0 ? "" : "  ") + (is_number_[i] ? space + line[i] : line[i] + space);
      }
      one.erase(one.find_last_not_of(' ') + 1);
      out.push_back(std::move(one));
    }
    return out;
  }

 private:
  static std::size_t length(std::string_view cell) {
    return static_cast<std::size_t>(std::count_if(
        cell.begin(), cell.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
  }

  std::vector<bool> is_number_;
  std::vector<std::vector<std::string>> lines_;
};

// The operation of that name in the answer of the same selector before.
const Json* find_before(const Json& status, const std::string& operation, const std::vector<Json>& before) {
  for (const Json& one : before) {
    if (selector_name(one) != selector_name(status)) continue;
    for (const Json& candidate : member_list(one, "operations"))
      if (member_text(candidate, "name") == operation) return &candidate;
  }
  return nullptr;
}

std::string rate_text(const Json* now, const Json* before, double seconds) {
  if (before == nullptr || !(seconds > 0.0)) return "-";
  return count_text(std::max(0.0, member_number(*now, "calls") - member_number(*before, "calls")) / seconds);
}

std::vector<std::string> selector_lines(const std::vector<Json>& answers) {
  Table table({"PROCESS", "SELECTOR", "MODE", ">EPOCH", ">KEYS", "TABLE"});
  for (const Json& status : answers) {
    if (status.contains("error")) {
      table.add({selector_name(status), member_text(status["error"], "what"), "", "", "", ""});
      continue;
    }
    const Json& tables = member_list(status, "tables");
    table.add({selector_name(status), member_text(status, "name"), member_text(status, "mode"),
               fmt::format("{:.0f}", member_number(status, "epoch")),
               count_text(member_number(status, "all_keys")),
               !tables.empty() && tables[0].is_string() ? tables[0].get<std::string>() : "-"});
  }
  return table.text();
}

std::vector<std::string> operation_lines(const std::vector<Json>& answers, const std::vector<Json>& before,
                                         double seconds) {
  Table table({"PROCESS", "OPERATION", ">VARIANTS", ">KEYS", ">CONFIRMED", ">CALLS", ">CALLS/S", ">TIME",
               ">SAVED", ">LOST", ">PROMOTED", ">DEMOTED", ">FAILED"});
  for (const Json& status : answers)
    for (const Json& one : member_list(status, "operations"))
      table.add({selector_name(status), member_text(one, "name"), count_text(member_number(one, "variants")),
                 count_text(member_number(one, "keys")), count_text(member_number(one, "confirmed_keys")),
                 count_text(member_number(one, "calls")),
                 rate_text(&one, find_before(status, member_text(one, "name"), before), seconds),
                 seconds_text(member_number(one, "time_s")), seconds_text(member_number(one, "saved_s")),
                 seconds_text(member_number(one, "lost_s")), count_text(member_number(one, "promotions")),
                 count_text(member_number(one, "demotions")), count_text(member_number(one, "failures"))});
  return table.is_empty() ? std::vector<std::string>() : table.text();
}

std::vector<std::string> key_lines(const std::vector<TopRow>& rows) {
  Table table({">SHARE", "PROCESS", "OPERATION", "KEY", "INCUMBENT", ">LATENCY", ">DEFAULT", "LEADER",
               ">CONFIDENCE", ">CALLS", ">SAVED", ">LOST"});
  for (const TopRow& row : rows) {
    const Json& key = *row.key;
    const bool leads = member_text(key, "leader") == member_text(key, "incumbent");
    table.add({fmt::format("{:.1f} %", 100.0 * member_number(key, "share")), selector_name(*row.status),
               member_text(key, "operation"), member_text(key, "key"), member_text(key, "incumbent"),
               ns_text(member_number(key, "incumbent_ns")), ns_text(member_number(key, "default_ns")),
               leads ? "=" : member_text(key, "leader"), confidence_text(key),
               count_text(member_number(key, "calls")), seconds_text(member_number(key, "saved_s")),
               seconds_text(member_number(key, "lost_s"))});
  }
  return table.text();
}

std::string change_text(const Json& change) {
  const std::string event = member_text(change, "event");
  if (event == "mode") {
    const double by = member_number(change, "by_process");
    return fmt::format("mode {}, was {}{}", member_text(change, "to"), member_text(change, "from"),
                       by > 0 ? fmt::format(", by process {:.0f}", by) : "");
  }
  if (event == "tables") return "tables of another epoch: " + member_text(change, "table");
  if (event == "start") return "the selector began, mode " + member_text(change, "mode");
  std::string key;
  if (const auto at = change.find("key"); at != change.end() && at->is_object())
    for (const auto& [name, value] : at->items())
      key += " " + name + "=" + (value.is_string() ? value.get<std::string>() : value.dump());
  return member_text(change, "operation") + key + ": " + event + ", " + member_text(change, "why");
}

// The latest of all selectors. Times as text have the order of the times.
std::vector<std::string> change_lines(const std::vector<Json>& answers) {
  std::vector<std::pair<std::string, const Json*>> all;
  for (const Json& status : answers)
    for (const Json& change : member_list(status, "changes"))
      all.emplace_back(selector_name(status), &change);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return member_text(*a.second, "time") > member_text(*b.second, "time");
  });
  if (all.size() > changes_shown) all.resize(changes_shown);
  Table table({"TIME", "PROCESS", "LATEST CHANGES"});
  for (const auto& [name, change] : all)
    table.add({member_text(*change, "time"), name, change_text(*change)});
  return table.is_empty() ? std::vector<std::string>() : table.text();
}

}  // namespace

const std::vector<std::string>& top_orders() {
  static const std::vector<std::string> all = {"time", "calls", "saved", "lost", "changed"};
  return all;
}

std::vector<TopRow> top_rows(const std::vector<Json>& answers, const std::string& sort, std::size_t limit) {
  std::vector<TopRow> rows;
  for (const Json& status : answers)
    for (const Json& key : member_list(status, "keys")) rows.push_back({&status, &key});
  std::stable_sort(rows.begin(), rows.end(), [&](const TopRow& a, const TopRow& b) {
    return sort_value(*a.key, sort) > sort_value(*b.key, sort);
  });
  if (rows.size() > limit) rows.resize(limit);
  return rows;
}

std::string fitted(std::string_view text, std::size_t columns) {
  std::string out;
  std::size_t used = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool begins = (byte & 0xC0u) != 0x80u;
    if (begins && used == columns) break;
    if (begins) ++used;
    out += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  return out + std::string(columns - used, ' ');
}

std::vector<std::string> top_lines(const std::vector<Json>& answers, const std::vector<TopRow>& rows,
                                   const std::vector<Json>& before, double seconds, const TopStyle& style) {
  std::vector<std::string> out;
  const auto add = [&](const std::vector<std::string>& section, bool is_of_keys) {
    if (section.empty()) return;
    if (!out.empty()) out.emplace_back();
    for (std::size_t i = 0; i < section.size(); ++i) {
      std::string line = fitted(section[i], style.columns == 0 ? section[i].size() : style.columns);
      line.erase(line.find_last_not_of(' ') + 1);
      if (!style.colours) {
        out.push_back(std::move(line));
        continue;
      }
      const bool is_dim = is_of_keys && i > 0 && !member_flag(*rows[i - 1].key, "confirmed");
      const char* const colour = i == 0                                  ? "\033[1m"
                                 : is_of_keys && i - 1 == style.selected ? "\033[7m"
                                 : is_dim                                ? "\033[2m"
                                                                         : "";
      out.push_back(colour + line + "\033[0m");
    }
  };
  add(selector_lines(answers), false);
  add(operation_lines(answers, before, seconds), false);
  if (!rows.empty()) add(key_lines(rows), true);
  add(change_lines(answers), false);
  return out;
}

}  // namespace adaptive::cli
