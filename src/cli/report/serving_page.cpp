#include "cli/report/serving_page.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "cli/report/charts.hpp"
#include "cli/report/report_page.hpp"
#include "cli/tune/console.hpp"

namespace adaptive::inline v1::cli {
namespace {

// Longer tables and charts would not be read, and a browser would take long to draw them.
constexpr std::size_t rows_max = 1000;
constexpr std::size_t bars_max = 40;
constexpr std::size_t marks_max = 500;
constexpr double chart_width = 900.0;

std::string percent_text(const std::optional<Gain>& gain) {
  if (!gain) return "";
  std::string text = fmt::format("{:.1f} %", 100.0 * gain->share);
  if (gain->noise) text += noise_text(*gain->noise);
  return text;
}

std::string nanoseconds_text(double ns) {
  return ns > 0.0 ? latency_text(ns / 1e3) : "";
}

std::string left_out_text(std::size_t all, std::size_t shown) {
  return all <= shown ? "" : fmt::format("<p class=\"faint\">Not shown: {}.</p>\n", all - shown);
}

std::string key_name(const ServedKey& key) {
  return key.operation + " " + key.key;
}

// Two bars for each key, one below the other.
std::string gain_bars(const std::vector<ServedKey>& keys) {
  constexpr double row = 34.0;
  constexpr double bar = 420.0;
  constexpr double letter = 7.5;
  std::vector<const ServedKey*> shown;
  for (const ServedKey& key : keys)
    if ((key.over_before || key.over_default) && shown.size() < bars_max) shown.push_back(&key);
  if (shown.empty()) return "<p>No key has results of both its incumbent and what ran before.</p>\n";
  std::size_t longest = 8;
  double least = 0.0;
  for (const ServedKey* key : shown) {
    longest = std::max(longest, key_name(*key).size());
    for (const auto& gain : {key->over_before, key->over_default})
      if (gain) least = std::min(least, std::max(gain->share, -1.0));
  }
  const double left = static_cast<double>(longest) * letter + 12.0;
  const double zero = left - least * bar;
  std::string body;
  double y = 4.0;
  for (const ServedKey* key : shown) {
    body += fmt::format("<text class=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", left - 6, y + 19,
                        core::xml_escaped(key_name(*key)));
    double top = y + 3;
    for (const auto& [gain, name] :
         {std::pair(key->over_before, "before"), std::pair(key->over_default, "default")}) {
      if (!gain) continue;
      const double share = std::clamp(gain->share, -1.0, 1.0);
      body += fmt::format(
          "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"11\"><title>{}: {} less "
          "than "
          "{}</title></rect>\n<text x=\"{:.1f}\" y=\"{:.1f}\">{:.1f} % {}</text>\n",
          name, std::min(zero, zero + share * bar), top, std::max(1.0, std::abs(share) * bar),
          core::xml_escaped(key_name(*key)), percent_text(gain), name, zero + std::max(share, 0.0) * bar + 8,
          top + 10, 100.0 * gain->share, name);
      top += 13;
    }
    y += row;
  }
  body +=
      fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" y2=\"{1:.1f}\"/>\n", zero, y);
  const double width = zero + bar + 150;
  return svg(width, y + 4, "Share of latency that each key saves", body) +
         left_out_text(keys.size(), shown.size());
}

struct TimeScale {
  std::int64_t begin = 0;
  std::int64_t end = 1;
  double x(std::int64_t time) const {
    const double share = static_cast<double>(time - begin) / static_cast<double>(end - begin);
    return 60.0 + share * (chart_width - 80.0);
  }
};

// The mean gain over all keys that change, as steps.
std::string gain_over_time(const ServingReport& report) {
  if (report.changes.empty()) return "<p>No incumbent has changed.</p>\n";
  constexpr double height = 240.0;
  constexpr double floor = height - 40.0;
  TimeScale scale{report.changes.front().time, report.changes.back().time};
  for (const std::int64_t start : report.starts) {
    scale.begin = std::min(scale.begin, start);
    scale.end = std::max(scale.end, start);
  }
  if (scale.end == scale.begin) ++scale.end;
  double greatest = 0.01;
  double least = 0.0;
  for (const ServedChange& change : report.changes) {
    greatest = std::max(greatest, change.gain_after);
    least = std::min(least, change.gain_after);
  }
  const auto y = [&](double gain) { return 12.0 + (greatest - gain) / (greatest - least) * (floor - 12.0); };

  std::string body;
  for (const std::int64_t start : report.starts)
    body += fmt::format(
        "<line class=\"start\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"12\" y2=\"{1:.1f}\"><title>a selector "
        "began, {2}</title></line>\n",
        scale.x(start), floor, table::time_text(start));
  // Of changes in one column of the picture, the last one tells.
  std::string path = fmt::format("M{:.1f} {:.1f}", scale.x(scale.begin), y(0.0));
  for (std::size_t i = 0; i < report.changes.size(); ++i) {
    const ServedChange& change = report.changes[i];
    const double x = std::floor(scale.x(change.time));
    if (i + 1 < report.changes.size() && std::floor(scale.x(report.changes[i + 1].time)) == x) continue;
    path += fmt::format("H{:.1f}V{:.1f}", scale.x(change.time), y(change.gain_after));
  }
  body += fmt::format("<path class=\"steps\" d=\"{}H{:.1f}\"/>\n", path, scale.x(scale.end));
  if (report.changes.size() <= marks_max)
    for (const ServedChange& change : report.changes)
      body += fmt::format(
          "<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"><title>{} {} {}: {} to "
          "{}</title></circle>\n",
          change.event == "promotion" ? "promotion" : "demotion", scale.x(change.time), y(change.gain_after),
          table::time_text(change.time), core::xml_escaped(change.operation), core::xml_escaped(change.key),
          core::xml_escaped(change.from), core::xml_escaped(change.to));
  body += fmt::format(
      "<line class=\"axis\" x1=\"60\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{1:.1f}\"/>\n"
      "<text class=\"end\" x=\"54\" y=\"{2:.1f}\">{3:.1f} %</text><text class=\"end\" x=\"54\" "
      "y=\"{4:.1f}\">0 %</text>\n"
      "<text x=\"60\" y=\"{5:.1f}\">{6}</text><text class=\"end\" x=\"{0:.1f}\" y=\"{5:.1f}\">{7}</text>\n",
      chart_width - 20.0, y(0.0), y(greatest) + 4, 100.0 * greatest, y(0.0) + 4, height - 12.0,
      table::time_text(scale.begin), table::time_text(scale.end));
  return svg(chart_width, height, "Mean gain over time", body);
}

std::string before_and_after(const std::vector<ServedKey>& keys) {
  std::string html =
      "<div class=\"wide\"><table id=\"keys\">\n<tr><th>operation<th>key<th>before<th "
      "class=\"number\">latency<th>"
      "after<th class=\"number\">latency<th class=\"number\">gain over before<th class=\"number\">over the "
      "default<th class=\"number\">results<th class=\"number\">changes</tr>\n";
  for (std::size_t i = 0; i < std::min(keys.size(), rows_max); ++i) {
    const ServedKey& key = keys[i];
    html += fmt::format(
        "<tr><td>{}<td>{}<td>{}<td class=\"number\">{}<td>{}<td class=\"number\">{}<td "
        "class=\"number\">{}<td "
        "class=\"number\">{}<td class=\"number\">{}<td class=\"number\">{}</tr>\n",
        core::xml_escaped(key.operation), core::xml_escaped(key.key), core::xml_escaped(key.before),
        nanoseconds_text(key.before_ns), core::xml_escaped(key.after), nanoseconds_text(key.after_ns),
        percent_text(key.over_before), percent_text(key.over_default),
        key.results > 0 ? std::to_string(key.results) : "",
        key.changes > 0 ? std::to_string(key.changes) : "");
  }
  return html + "</table></div>\n" + left_out_text(keys.size(), rows_max);
}

std::string what_remains_open(const ServingReport& report) {
  if (!report.has_table)
    return "<p>An audit file does not tell what is still open; give the saved table as well.</p>\n";
  std::string rows;
  std::size_t count = 0;
  for (const ServedKey& key : report.keys)
    if (!key.open.empty() && ++count <= rows_max)
      rows +=
          fmt::format("<tr><td>{}<td>{}<td>{}<td>{}</tr>\n", core::xml_escaped(key.operation),
                      core::xml_escaped(key.key), core::xml_escaped(key.after), core::xml_escaped(key.open));
  if (count == 0) return "<p>The incumbent of every key is confirmed.</p>\n";
  return "<div class=\"wide\"><table id=\"open\">\n<tr><th>operation<th>key<th>incumbent<th>what is "
         "open</tr>\n" +
         rows + "</table></div>\n" + left_out_text(count, rows_max);
}

std::string change_table(const std::vector<ServedChange>& changes) {
  std::string html =
      "<div class=\"wide\"><table "
      "id=\"changes\">\n<tr><th>time<th>event<th>operation<th>key<th>from<th>to<th>why</tr>\n";
  for (std::size_t i = 0; i < std::min(changes.size(), rows_max); ++i) {
    const ServedChange& change = changes[changes.size() - 1 - i];
    html += fmt::format(
        "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td class=\"text\">{}</tr>\n", table::time_text(change.time),
        core::xml_escaped(change.event), core::xml_escaped(change.operation), core::xml_escaped(change.key),
        core::xml_escaped(change.from), core::xml_escaped(change.to), core::xml_escaped(change.why));
  }
  return html + "</table></div>\n" + left_out_text(changes.size(), rows_max);
}

}  // namespace

std::string serving_page(const ServingReport& report) {
  std::string html = page_head(report.title) + fact_list(report.facts);
  html +=
      "<h2>Gain by key</h2>\n<p>The share of the latency that the incumbent saves: against what ran "
      "<i>before</i> (the "
      "incumbent of the seed table, or of before the first change) and against the program's "
      "<i>default</i>.</p>\n"
      "<div class=\"wide\" id=\"gain\">" +
      gain_bars(report.keys) + "</div>\n";
  if (!report.changes.empty() || !report.starts.empty())
    html +=
        "<h2>Gain over time</h2>\n<p>The mean over all keys that change, against what they ran before. A dot "
        "is a "
        "change, and a line the beginning of a selector. Point at them to see which.</p>\n<div "
        "class=\"wide\" "
        "id=\"time\">" +
        gain_over_time(report) + "</div>\n";
  html += "<h2>Before and after</h2>\n" + before_and_after(report.keys);
  html += "<h2>Still open</h2>\n" + what_remains_open(report);
  if (!report.changes.empty()) html += "<h2>Changes</h2>\n" + change_table(report.changes);
  return html + "</body>\n</html>\n";
}

}  // namespace adaptive::cli
