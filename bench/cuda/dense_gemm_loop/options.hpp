// Options on the command line.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include <adaptive/cuda/replay.hpp>
#include <adaptive/cuda/timer.hpp>

namespace adaptive::loop_bench {

struct Options {
  int steps = 2000;      ///< launches of each shape, or replays, in one loop
  int rounds = 3;        ///< loops of each mode, in a new order each round
  int calibration = 60;  ///< samples of every candidate for finding the best in hindsight
  int shapes = 40;       ///< number of shapes, from the first on
  cuda::Timing timing = cuda::Timing::events;
  std::string seeds;               ///< empty: no mode "seeded"
  std::string policy = "default";  ///< name in the registry
  std::string json;                ///< empty: none
  bool graph = false;              ///< the projections are one captured graph
  int ahead = 2;                   ///< replays that the host enqueues before it waits for the first of them
  cuda::ReplayOptions replays = {};
  bool per_shape = false;
  bool breakdown = false;  ///< every replay is timed, in all modes
  bool ration = true;
};

/// The command line is wrong.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

Options parse(const std::vector<std::string>& arguments);

}  // namespace adaptive::loop_bench
