#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>

namespace serving {

/// What the command line says.
struct Options {
  double seconds = 30;  ///< of serving; the comparison afterwards takes half as long again
  std::optional<std::uint64_t> steps = {};  ///< ends the run instead of the time
  std::uint64_t seed = 1;
  double requests_per_s = 0;  ///< of the generator; 0: its own rate
  bool quick = false;
  bool json = false;
  bool help = false;
  std::filesystem::path trace = {};
  std::filesystem::path tables = {};
  std::filesystem::path output = "adapted.json";
};

/// A command line that cannot be understood: exit with 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

Options parse_options(int argc, const char* const* argv);
const char* usage_text();

}  // namespace serving
