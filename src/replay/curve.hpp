// The course of a replay, for tables and for eyes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace adaptive::inline v1::replay {

struct CurvePoint {
  std::size_t calls = 0;
  double overhead = 0.0;    ///< over always running the best: 0.01 is one percent
  double confidence = 0.0;  ///< half the width of the 95 % interval of the mean
};

/// One policy's overhead by the number of calls, ascending.
struct Curve {
  std::string name = {};
  std::vector<CurvePoint> points = {};
};

/// "policy,calls,overhead_percent,confidence_percent", one line a point; names in quotes where CSV wants
/// them.
std::string to_csv(const std::vector<Curve>& curves);

/// A picture, both axes logarithmic: a line and its 95 % band for every curve, and dashed what one look at
/// every variant costs (`first_look` latencies of the best, 0: none). Points that are not above zero cannot
/// be drawn and are left out.
std::string to_svg(const std::vector<Curve>& curves, double first_look, const std::string& title);

}  // namespace adaptive::replay
