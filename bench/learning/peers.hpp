// Models of what other systems and textbooks do, on plain latencies as they do it, for comparison only. They
// assume that every result comes before the next call.
#pragma once

#include <string_view>
#include <vector>

#include <adaptive/policy.hpp>

namespace adaptive::learning_bench {

struct Peer {
  std::string_view name;
  std::string_view model;  ///< what it models, and where that is described
  PolicyFactory make;
};

const std::vector<Peer>& peers();

/// A peer, or a policy that `replay::make_policy` knows; throws `Error` for neither.
PolicyFactory policy_of_name(std::string_view name);

}  // namespace adaptive::learning_bench
