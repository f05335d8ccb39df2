// The simulated situations on which the policies are compared.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tests/policies/support/environment.hpp"
#include "tests/policies/support/runner.hpp"

namespace adaptive::learning_bench {

struct Scenario {
  std::string name;
  std::string description;
  simulation::SyntheticOptions environment = {};
  simulation::Delivery delivery = {};
  std::optional<std::size_t> change_call = {};
  std::optional<simulation::SeedTable> seeds = {};
};

const std::vector<Scenario>& scenarios();

}  // namespace adaptive::learning_bench
