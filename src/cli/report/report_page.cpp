#include "cli/report/report_page.hpp"

#include <string_view>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/report/charts.hpp"
#include "cli/tune/console.hpp"
#include "cli/tune/results.hpp"
#include "tuning/parameter_effect.hpp"

namespace adaptive::inline v1::cli {
namespace {

using tuning::TunedShape;

// A wider map would not be readable.
constexpr std::size_t columns_max = 48;

constexpr const char* style = R"(
:root { color-scheme: light dark; --text: #1b1f24; --faint: #667; --line: #d5d9df; --page: #fff; --bar: #2b7bba; --other: #c8792b; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ee; --faint: #9aa4b2; --line: #3a414c; --page: #14171c; --bar: #5aa7e0; --other: #e09a4e; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.2rem; }
p { max-width: 46rem; } .faint { color: var(--faint); }
table { border-collapse: collapse; font-size: 13px; } th, td { padding: .2rem .7rem .2rem 0; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
.wide { overflow-x: auto; } dl { display: grid; grid-template-columns: max-content auto; gap: .1rem 1rem; } dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
svg text { font: 12px ui-monospace, monospace; fill: var(--text); } svg text.end { text-anchor: end; }
svg .failed { fill: none; stroke: var(--line); } svg .best { fill: #fff; stroke: #000; } svg .gain { fill: var(--bar); }
svg .whisker, svg .axis { stroke: var(--text); stroke-width: 1.5; }
svg .before { fill: var(--bar); } svg .default { fill: var(--other); } svg .start { stroke: var(--line); stroke-width: 2; }
svg .steps { fill: none; stroke: var(--bar); stroke-width: 2; } svg .promotion { fill: var(--bar); } svg .demotion { fill: var(--other); stroke: var(--text); }
td.text { white-space: normal; min-width: 20rem; }
@media print {
  :root { color-scheme: light; --text: #000; --faint: #555; --line: #bbb; --page: #fff; --bar: #2b7bba; --other: #c8792b; }
  body { margin: 0; max-width: none; font-size: 10pt; } table { font-size: 8pt; } td { white-space: normal; overflow-wrap: anywhere; }
  .wide { overflow: visible; } svg { max-width: 100%; height: auto; } h2 { break-after: avoid; } tr, svg { break-inside: avoid; }
  * { print-color-adjust: exact; }
}
)";

std::string results(const std::vector<TunedShape>& shapes) {
  std::string html =
      "<div class=\"wide\"><table id=\"results\">\n<tr><th>shape<th>best<th class=\"number\">latency<th "
      "class=\"number\">default<th class=\"number\">gain<th class=\"number\">± <th class=\"number\">GB/s<th "
      "class=\"number\">Gflop/s<th class=\"number\">memory, MB<th class=\"number\">trials</tr>\n";
  for (const TunedShape& shape : shapes) {
    html += fmt::format("<tr><td>{}", core::xml_escaped(shape.name));
    if (!shape.race.best) {
      html += fmt::format(
          "<td colspan=\"9\">{}</tr>\n",
          core::xml_escaped(shape.failure ? std::string(to_string(*shape.failure)) + ": " + shape.detail
                                          : "all candidates failed"));
      continue;
    }
    const auto& best = shape.race.contestants[*shape.race.best];
    const double seconds = best.location_us * 1e-6;
    const double default_us = shape.race.contestants.front().location_us;
    const std::string_view sure = confidence(shape);
    html += fmt::format(
        "<td>{}{}<td class=\"number\">{}<td class=\"number\">{}<td class=\"number\">{:.1f} %<td "
        "class=\"number\">{:.1f} %<td class=\"number\">{:.1f}<td class=\"number\">{:.1f}<td "
        "class=\"number\">{:.1f}<td "
        "class=\"number\">{}</tr>\n",
        core::xml_escaped(best.candidate.name),
        sure == "sure"  ? ""
        : sure == "tie" ? " <span class=\"faint\">(tie)</span>"
                        : " <span class=\"faint\">(gain within the noise)</span>",
        latency_text(best.location_us), default_us > 0.0 ? latency_text(default_us) : "failed",
        100.0 * shape.race.gain(), 100.0 * shape.race.gain_radius(), shape.bytes / seconds / 1e9,
        shape.operations / seconds / 1e9, static_cast<double>(best.candidate.memory) / 1e6,
        shape.race.trials);
  }
  return html + "</table></div>\n";
}

std::string effects(const std::vector<TunedShape>& shapes) {
  std::vector<tuning::RaceResult> races;
  for (const TunedShape& shape : shapes) races.push_back(shape.race);
  const std::vector<tuning::ParameterEffect> all = tuning::parameter_effects(races);
  if (all.empty()) return "<p>At no shape do variants differ in a parameter.</p>\n";
  std::string html =
      "<p>The bar is the share of the variance of latencies within a shape that the parameter alone "
      "explains. "
      "The slowdown is the average cost of taking the best variant with that value instead of the best of "
      "all.</p>\n<div class=\"wide\" id=\"effects\">" +
      effect_chart(all) +
      "</div>\n<table id=\"parameters\"><tr><th>parameter<th>value<th class=\"number\">slowdown<th "
      "class=\"number\">wins<th class=\"number\">shapes</tr>\n";
  for (const tuning::ParameterEffect& effect : all)
    for (const tuning::ValueEffect& value : effect.values)
      html += fmt::format(
          "<tr><td>{}<td>{}<td class=\"number\">{:.2f} ×<td class=\"number\">{}<td "
          "class=\"number\">{}</tr>\n",
          core::xml_escaped(effect.parameter), core::xml_escaped(value.value), value.slowdown, value.wins,
          value.shapes);
  return html + "</table>\n";
}

}  // namespace

std::string fact_list(const Facts& facts) {
  std::string html = "<dl>\n";
  for (const auto& [name, value] : facts)
    html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", core::xml_escaped(name), core::xml_escaped(value));
  return html + "</dl>\n";
}

std::string page_head(const std::string& title) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
      "content=\"width=device-width\">\n<title>{0}</title>\n<style>{1}</style>\n</head>\n<body>\n<h1>{0}</"
      "h1>\n",
      core::xml_escaped(title), style);
}

std::string report_page(const Report& report) {
  std::size_t left_out = 0;
  const std::string map = heat_map(report.shapes, columns_max, left_out);
  std::string html = page_head(report.title);
  html += fact_list(report.facts);
  html += "<h2>Results</h2>\n" + results(report.shapes);
  html +=
      "<h2>Latency by variant and shape</h2>\n<p>Green is the best latency of the shape, yellow 1.5 times "
      "the best, red five times the best and above. An empty frame is a failed variant. The dot marks the "
      "winner. Point at a cell to see its figures.</p>\n";
  if (left_out > 0)
    html += fmt::format(
        "<p class=\"faint\">{} more variants, which are not near the best at any shape, are left out.</p>\n",
        left_out);
  html += "<div class=\"wide\" id=\"heat-map\">" + map + "</div>\n";
  html += "<h2>Gain over the default</h2>\n<div class=\"wide\" id=\"gain\">" + gain_chart(report.shapes) +
          "</div>\n";
  html += "<h2>Which parameters matter</h2>\n" + effects(report.shapes);
  return html + "</body>\n</html>\n";
}

}  // namespace adaptive::cli
