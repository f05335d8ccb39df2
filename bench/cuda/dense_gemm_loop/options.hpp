// What the command line says.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <adaptive/cuda/timer.hpp>

namespace adaptive::loop_bench {

struct Options {
  int steps = 2000;      ///< launches of each shape in one loop
  int rounds = 3;        ///< each mode's loop, in a new order
  int calibration = 60;  ///< samples of every candidate for the best in hindsight
  int shapes = 40;       ///< the first so many
  cuda::Timing timing = cuda::Timing::events;
  std::string seeds;  ///< empty: no mode "seeded"
  std::string json;   ///< empty: none
  bool per_shape = false;
  bool ration = true;
};

/// A wrong command line.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Options parse(const std::vector<std::string>& arguments);

}  // namespace adaptive::loop_bench
