#include "cli/report/charts.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/tune/console.hpp"

namespace adaptive::inline v1::cli {
namespace {

using tuning::Contestant;
using tuning::TunedShape;

constexpr double row_height = 20.0;
constexpr double character = 7.5;  // width of a character in the page's 12 px monospace font
constexpr double bar_width = 420.0;

std::size_t longest(const std::vector<TunedShape>& shapes) {
  std::size_t size = 5;
  for (const TunedShape& shape : shapes) size = std::max(size, shape.name.size());
  return size;
}

double best_us(const TunedShape& shape) {
  double least = std::numeric_limits<double>::infinity();
  for (const Contestant& contestant : shape.race.contestants)
    if (contestant.location_us > 0.0) least = std::min(least, contestant.location_us);
  return least;
}

// The colour of a ratio to the best: from dark green at 1 over 1.1, 1.5 and 2.5 (yellow) to dark red at 5 and
// above. The colours also differ in lightness.
std::string colour(double ratio) {
  struct Stop {
    double log_ratio;
    std::array<double, 3> rgb;
  };
  static const std::array<Stop, 5> stops = {{{0.0, {0, 104, 55}},
                                             {0.095, {102, 189, 99}},
                                             {0.405, {254, 224, 139}},
                                             {0.916, {244, 109, 67}},
                                             {1.609, {165, 0, 38}}}};
  const double x = std::clamp(std::log(std::max(ratio, 1.0)), 0.0, stops.back().log_ratio);
  std::size_t i = 1;
  while (i + 1 < stops.size() && x > stops[i].log_ratio) ++i;
  const double share = (x - stops[i - 1].log_ratio) / (stops[i].log_ratio - stops[i - 1].log_ratio);
  std::array<int, 3> rgb{};
  for (std::size_t c = 0; c < 3; ++c)
    rgb[c] =
        static_cast<int>(std::lround(stops[i - 1].rgb[c] + share * (stops[i].rgb[c] - stops[i - 1].rgb[c])));
  return fmt::format("#{:02x}{:02x}{:02x}", rgb[0], rgb[1], rgb[2]);
}

// The variants sorted by their smallest distance from a shape's best; those that win a shape come first.
std::vector<std::string> variant_columns(const std::vector<TunedShape>& shapes, std::size_t most,
                                         std::size_t& left_out) {
  std::map<std::string, double> nearest;
  for (const TunedShape& shape : shapes)
    for (const Contestant& contestant : shape.race.contestants) {
      const double ratio = contestant.location_us > 0.0 ? contestant.location_us / best_us(shape)
                                                        : std::numeric_limits<double>::infinity();
      const auto at = nearest.emplace(contestant.candidate.name, ratio).first;
      at->second = std::min(at->second, ratio);
    }
  std::vector<std::string> names;
  for (const auto& [name, ratio] : nearest) names.push_back(name);
  std::stable_sort(names.begin(), names.end(),
                   [&](const std::string& a, const std::string& b) { return nearest[a] < nearest[b]; });
  left_out = names.size() > most ? names.size() - most : 0;
  names.resize(names.size() - left_out);
  return names;
}

std::string cell(const TunedShape& shape, const Contestant& contestant, bool is_best, double x, double y,
                 double width) {
  const double ratio = contestant.location_us / best_us(shape);
  const bool measured = contestant.location_us > 0.0;
  const std::string what =
      measured ? fmt::format("{}, {:.2f} × the best, {} samples, {}", latency_text(contestant.location_us),
                             ratio, contestant.count, to_string(contestant.outcome))
               : std::string(to_string(contestant.status)) + " " + contestant.detail;
  std::string out = fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" {}><title>{}&#10;{}: "
      "{}</title></rect>\n",
      x, y, width - 1, row_height - 1,
      measured ? fmt::format("fill=\"{}\"", colour(ratio)) : "class=\"failed\"",
      core::xml_escaped(shape.name), core::xml_escaped(contestant.candidate.name), core::xml_escaped(what));
  if (is_best)
    out += fmt::format("<circle class=\"best\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/>\n", x + (width - 1) / 2,
                       y + (row_height - 1) / 2);
  return out;
}

std::string row_label(const std::string& text, double x, double y) {
  return fmt::format("<text class=\"end\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", x - 6, y + 14,
                     core::xml_escaped(text));
}

}  // namespace

std::string svg(double width, double height, const std::string& label, const std::string& body) {
  return fmt::format(
      "<svg role=\"img\" aria-label=\"{}\" width=\"{:.0f}\" height=\"{:.0f}\" viewBox=\"0 0 {:.0f} "
      "{:.0f}\">\n{}</svg>\n",
      core::xml_escaped(label), width, height, width, height, body);
}

std::string heat_map(const std::vector<TunedShape>& shapes, std::size_t variants_max, std::size_t& left_out) {
  const std::vector<std::string> names = variant_columns(shapes, variants_max, left_out);
  std::size_t name_size = 4;
  for (const std::string& name : names) name_size = std::max(name_size, name.size());
  const double left = static_cast<double>(longest(shapes)) * character + 12.0;
  const double top = static_cast<double>(name_size) * character * 0.8 + 16.0;
  const double width = names.size() > 24 ? 22.0 : 34.0;
  std::string body;
  for (std::size_t c = 0; c < names.size(); ++c) {
    const double x = left + (static_cast<double>(c) + 0.6) * width;
    body += fmt::format("<text transform=\"translate({:.1f} {:.1f}) rotate(-50)\">{}</text>\n", x, top - 6,
                        core::xml_escaped(names[c]));
  }
  double y = top;
  for (const TunedShape& shape : shapes) {
    body += row_label(shape.name, left, y);
    for (std::size_t i = 0; i < shape.race.contestants.size(); ++i) {
      const Contestant& contestant = shape.race.contestants[i];
      const auto at = std::find(names.begin(), names.end(), contestant.candidate.name);
      if (at == names.end()) continue;
      body += cell(shape, contestant, shape.race.best == i,
                   left + static_cast<double>(at - names.begin()) * width, y, width);
    }
    y += row_height;
  }
  const double right = left + static_cast<double>(names.size()) * width + top;
  return svg(right, y + 4, "Latency of every variant at every shape, relative to the best of the shape",
             body);
}

std::string gain_chart(const std::vector<TunedShape>& shapes) {
  const double left = static_cast<double>(longest(shapes)) * character + 12.0;
  std::string body;
  double y = 4.0;
  for (const TunedShape& shape : shapes) {
    const double gain = shape.race.gain();
    const double low = std::clamp(gain - shape.race.gain_radius(), 0.0, 1.0);
    const double high = std::clamp(gain + shape.race.gain_radius(), 0.0, 1.0);
    const double middle = y + row_height / 2;
    body += row_label(shape.name, left, y);
    body += fmt::format(
        "<rect class=\"gain\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"><title>{}: "
        "{:.1f} % ± {:.1f} %</title></rect>\n",
        left, y + 3, std::max(0.5, gain * bar_width), row_height - 6, core::xml_escaped(shape.name),
        100.0 * gain, 100.0 * shape.race.gain_radius());
    if (gain > 0.0)
      body +=
          fmt::format("<line class=\"whisker\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>\n",
                      left + low * bar_width, left + high * bar_width, middle, middle);
    body += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{:.1f} %</text>\n", left + high * bar_width + 8,
                        y + 14, 100.0 * gain);
    y += row_height;
  }
  body +=
      fmt::format("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"0\" y2=\"{1:.1f}\"/>\n", left, y);
  return svg(left + bar_width + 80, y + 4, "Share of the default's latency that the best variant saves",
             body);
}

std::string effect_chart(const std::vector<tuning::ParameterEffect>& effects) {
  std::size_t name_size = 5;
  for (const tuning::ParameterEffect& effect : effects)
    name_size = std::max(name_size, effect.parameter.size());
  const double left = static_cast<double>(name_size) * character + 12.0;
  std::string body;
  double y = 4.0;
  for (const tuning::ParameterEffect& effect : effects) {
    body += row_label(effect.parameter, left, y);
    body +=
        fmt::format("<rect class=\"gain\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
                    left, y + 3, std::max(0.5, effect.share * bar_width), row_height - 6);
    body += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\">{:.0f} %</text>\n",
                        left + effect.share * bar_width + 8, y + 14, 100.0 * effect.share);
    y += row_height;
  }
  return svg(left + bar_width + 80, y + 4, "Share of the variance of latencies that each parameter explains",
             body);
}

}  // namespace adaptive::cli
