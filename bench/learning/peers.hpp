// Models of other systems and of textbook algorithms, for comparison only. They use plain latencies, as their
// originals do, and assume that every result arrives before the next call.
#pragma once

#include <string_view>
#include <vector>

#include <adaptive/policy.hpp>

namespace adaptive::learning_bench {

struct Peer {
  std::string_view name;
  std::string_view model;  ///< what it models, and a reference
  PolicyFactory make;
};

const std::vector<Peer>& peers();

/// Returns a peer, or a policy that `replay::make_policy` knows. Throws `Error` if there is none of this
/// name.
PolicyFactory policy_of_name(std::string_view name);

}  // namespace adaptive::learning_bench
