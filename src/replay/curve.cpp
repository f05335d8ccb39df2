#include "replay/curve.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "base/text.hpp"

namespace adaptive::inline v1::replay {
namespace {

constexpr double width = 760.0, height = 460.0;
constexpr double left = 70.0, right = 170.0, top = 40.0, bottom = 50.0;
// Told apart also by those who cannot tell red from green (Okabe and Ito).
constexpr std::array<const char*, 7> colours = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                                "#e69f00", "#56b4e9", "#000000"};

std::string number(const char* how, double value) {
  char text[64];
  std::snprintf(text, sizeof text, how, value);
  return text;
}

template <class... Parts>
void append(std::string& text, const Parts&... parts) {
  (text.append(parts), ...);
}

// Whole decades that hold all values.
struct Axis {
  double low = 0.0, high = 1.0;  // exponents of ten
  static Axis of(const std::vector<double>& values) {
    if (values.empty()) return {};
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    Axis axis{std::floor(std::log10(*least)), std::ceil(std::log10(*most))};
    if (axis.high <= axis.low) axis.high = axis.low + 1.0;
    return axis;
  }
  double share(double value) const { return (std::log10(value) - low) / (high - low); }
};

class Picture {
 public:
  Picture(const std::vector<Curve>& curves, double first_look) : first_look_(first_look) {
    std::vector<double> calls, percents;
    for (const Curve& curve : curves)
      for (const CurvePoint& point : curve.points)
        if (point.overhead > 0.0) {
          calls.push_back(static_cast<double>(point.calls));
          percents.push_back(100.0 * point.overhead);
        }
    x_ = Axis::of(calls);
    y_ = Axis::of(percents);
  }

  std::string grid() const {
    std::string text;
    for (double at = x_.low; at <= x_.high; at += 1.0) {
      const std::string x = number("%.1f", x_of(std::pow(10.0, at)));
      append(text, "<line x1=\"", x, "\" y1=\"", number("%.1f", top), "\" x2=\"", x, "\" y2=\"",
             number("%.1f", height - bottom), "\" stroke=\"#ddd\"/><text x=\"", x, "\" y=\"",
             number("%.1f", height - bottom + 18), "\" text-anchor=\"middle\">",
             number("%.0f", std::pow(10.0, at)), "</text>\n");
    }
    for (double at = y_.low; at <= y_.high; at += 1.0) {
      const std::string y = number("%.1f", y_of(std::pow(10.0, at)));
      append(text, "<line x1=\"", number("%.1f", left), "\" y1=\"", y, "\" x2=\"",
             number("%.1f", width - right), "\" y2=\"", y, "\" stroke=\"#ddd\"/><text x=\"",
             number("%.1f", left - 8), "\" y=\"", y, "\" text-anchor=\"end\" dominant-baseline=\"middle\">",
             number("%g", std::pow(10.0, at)), " %</text>\n");
    }
    return text;
  }

  std::string line(const Curve& curve, std::size_t index) const {
    const std::string colour = colours[index % colours.size()];
    std::string middle, upper, lower;
    const CurvePoint* last = nullptr;
    for (const CurvePoint& point : curve.points) {
      if (!(point.overhead > 0.0)) continue;
      last = &point;
      middle += at(point.calls, point.overhead);
      upper += at(point.calls, point.overhead + point.confidence);
      lower.insert(0, at(point.calls, point.overhead - point.confidence));
    }
    if (last == nullptr) return {};
    const double label_y = top + 14.0 + 18.0 * static_cast<double>(index);
    return "<polygon points=\"" + upper + lower + "\" fill=\"" + colour + "\" opacity=\"0.15\"/>\n" +
           "<polyline points=\"" + middle + "\" fill=\"none\" stroke=\"" + colour +
           "\" stroke-width=\"1.8\"/>\n<text x=\"" + number("%.1f", width - right + 12) + "\" y=\"" +
           number("%.1f", label_y) + "\" fill=\"" + colour + "\">" + core::xml_escaped(curve.name) + " " +
           number("%.3g", 100.0 * last->overhead) + " %</text>\n";
  }

  std::string floor() const {
    if (!(first_look_ > 0.0)) return {};
    std::string points;
    for (double at = x_.low; at <= x_.high + 1e-9; at += 0.1) {
      const double calls = std::pow(10.0, at);
      const double percent = 100.0 * first_look_ / calls;
      if (y_.share(percent) <= 1.0 && y_.share(percent) >= 0.0)
        append(points, number("%.1f", x_of(calls)), ",", number("%.1f", y_of(percent)), " ");
    }
    return "<polyline points=\"" + points +
           "\" fill=\"none\" stroke=\"#777\" stroke-dasharray=\"5 4\"/>\n<text x=\"" +
           number("%.1f", width - right + 12) + "\" y=\"" + number("%.1f", height - bottom) +
           "\" fill=\"#777\">- - each variant once</text>\n";
  }

 private:
  double x_of(double calls) const { return left + (width - left - right) * x_.share(calls); }
  double y_of(double percent) const {
    return height - bottom - (height - top - bottom) * std::clamp(y_.share(percent), 0.0, 1.0);
  }
  std::string at(std::size_t calls, double overhead) const {
    const double percent = std::max(100.0 * overhead, std::pow(10.0, y_.low));
    return number("%.1f", x_of(static_cast<double>(calls))) + "," + number("%.1f", y_of(percent)) + " ";
  }

  double first_look_;
  Axis x_, y_;
};

}  // namespace

std::string to_csv(const std::vector<Curve>& curves) {
  std::string text = "policy,calls,overhead_percent,confidence_percent\n";
  for (const Curve& curve : curves)
    for (const CurvePoint& point : curve.points)
      append(text, core::csv_field(curve.name), ",", std::to_string(point.calls), ",",
             number("%.6g", 100.0 * point.overhead), ",", number("%.6g", 100.0 * point.confidence), "\n");
  return text;
}

std::string to_svg(const std::vector<Curve>& curves, double first_look, const std::string& title) {
  const Picture picture(curves, first_look);
  std::string text = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number("%.0f", width) +
                     " " + number("%.0f", height) +
                     "\" font-family=\"sans-serif\" font-size=\"12\">\n"
                     "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n<text x=\"" +
                     number("%.1f", left) + "\" y=\"22\" font-size=\"14\">" + core::xml_escaped(title) +
                     "</text>\n";
  text += picture.grid() + picture.floor();
  for (std::size_t i = 0; i < curves.size(); ++i) text += picture.line(curves[i], i);
  text +=
      "<text x=\"" + number("%.1f", (left + width - right) / 2) + "\" y=\"" + number("%.1f", height - 10) +
      "\" text-anchor=\"middle\">calls</text>\n<text transform=\"translate(16 " + number("%.1f", height / 2) +
      ") rotate(-90)\" text-anchor=\"middle\">overhead over the best variant</text>\n</svg>\n";
  return text;
}

}  // namespace adaptive::replay
