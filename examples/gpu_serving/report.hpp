#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "examples/gpu_serving/comparison.hpp"

namespace gpu_serving {

/// What a pass has come to.
struct Summary {
  struct Row {
    std::string mode;
    double seconds = 0;
    double tokens_per_s = 0;
    Calls launches, replays;
    std::vector<double> block_seconds;
    std::optional<Learned> learned;
  };
  std::string model;
  std::string what;
  std::size_t steps = 0;
  std::int64_t tokens = 0;
  std::vector<Row> rows;  ///< the last one is the best in hindsight
};

Summary summarise(const Pass& pass);
/// A table for people.
std::string text_of(const Summary& summary);
/// The passes with the time of each block in every mode, for programs.
std::string json_of(const std::vector<Summary>& passes);

}  // namespace gpu_serving
