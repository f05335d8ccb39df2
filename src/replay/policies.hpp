// The policies that can be replayed: those of the library, and the textbook ones that no program would
// choose.
#pragma once

#include <string_view>
#include <vector>

#include <adaptive/policy.hpp>

namespace adaptive::inline v1::replay {

/// Besides the names that `adaptive::make_policy` knows: "epsilon-greedy" and "kl-ucb". Throws `Error` that
/// lists all names for any other.
[[nodiscard]] PolicyFactory make_policy(std::string_view name);

/// The names that `make_policy` knows, the default first.
const std::vector<std::string_view>& policy_names();

}  // namespace adaptive::replay
