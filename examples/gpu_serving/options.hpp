#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "examples/serving/option_number.hpp"

namespace gpu_serving {

/// Options on the command line.
struct Options {
  std::vector<std::string> models;  ///< presets or files; empty: llama-3-8b and qwen3-30b-a3b
  double seconds = 40;              ///< of serving, for each model and pass, all modes together
  std::size_t steps = 600;          ///< most steps of a pass
  std::uint64_t seed = 1;
  double requests_per_s = 40;
  std::filesystem::path trace;
  std::filesystem::path tables;  ///< empty: the standard places
  std::string output = "adapted";
  bool quick = false;
  bool json = false;
  bool help = false;
};

using serving::UsageError;

Options parse_options(int argc, const char* const* argv);
const char* usage_text();

}  // namespace gpu_serving
