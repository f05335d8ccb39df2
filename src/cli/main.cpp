#include <iostream>

#include "cli/program.hpp"

int main(int argc, char** argv) {
  return adaptive::cli::run({argv + 1, argv + argc}, std::cout, std::cerr);
}
