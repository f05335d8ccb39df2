#include <iostream>

#include "cli/fronts/fronts.hpp"
#include "cli/program.hpp"

int main(int argc, char** argv) {
  const std::string program = argc > 0 ? argv[0] : "";
  return adaptive::cli::run(adaptive::cli::arguments_of(program, {argv + (argc > 0), argv + argc}), std::cout,
                            std::cerr);
}
