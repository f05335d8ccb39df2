#pragma once

#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

namespace adaptive::bench {

/// The main() of a benchmark. Returns what `run` returns for the arguments; 2 (wrong usage) if it throws
/// std::invalid_argument; and 1 if it throws anything else. Prints the reason to stderr.
inline int run_main(const char* program, int argc, char** argv,
                    int (*run)(const std::vector<std::string>& arguments)) {
  const auto fail = [program](const std::exception& e, int status) {
    std::fprintf(stderr, "%s: %s\n", program, e.what());
    return status;
  };
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::invalid_argument& e) {
    return fail(e, 2);
  } catch (const std::exception& e) {
    return fail(e, 1);
  }
}

}  // namespace adaptive::bench
