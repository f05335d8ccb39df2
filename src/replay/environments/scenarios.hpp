// The simulated situations on which the policies are compared.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replay/environments/environment.hpp"
#include "replay/runner.hpp"

namespace adaptive::inline v1::replay {

struct Scenario {
  std::string name;
  std::string description;
  SyntheticOptions environment = {};
  Delivery delivery = {};
  std::optional<std::size_t> change_call = {};
  std::optional<SeedTable> seeds = {};
  bool changing_sizes = false;  ///< `ChangingSizes` takes the place of `environment`
};

/// What the launches of a scenario cost.
std::unique_ptr<Environment> environment_of(const Scenario& scenario);

const std::vector<Scenario>& scenarios();

}  // namespace adaptive::replay
