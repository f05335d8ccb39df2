#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "examples/serving/option_number.hpp"

namespace serving {

/// Options on the command line.
struct Options {
  double seconds = 30;  ///< duration of serving; the comparison afterwards takes half as long again
  std::optional<std::uint64_t> steps = {};  ///< ends the run after this number of steps instead of the time
  std::uint64_t seed = 1;
  double requests_per_s = 0;  ///< rate of the generator; 0: its default
  bool quick = false;
  bool json = false;
  bool help = false;
  std::filesystem::path trace = {};
  std::filesystem::path tables = {};
  std::filesystem::path output = "adapted.json";
};

Options parse_options(int argc, const char* const* argv);
const char* usage_text();

}  // namespace serving
