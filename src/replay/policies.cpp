#include "replay/policies.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <adaptive/error.hpp>

#include "replay/textbook/epsilon_greedy.hpp"
#include "replay/textbook/kl_ucb.hpp"

namespace adaptive::inline v1::replay {
namespace {

using Make = PolicyFactory (*)();

constexpr auto textbook = std::to_array<std::pair<std::string_view, Make>>({
    {"epsilon-greedy", policy_of<EpsilonGreedy>},
    {"kl-ucb", policy_of<KlUcb>},
});

}  // namespace

PolicyFactory make_policy(std::string_view name) {
  for (const auto& [known, make] : textbook)
    if (known == name) return make();
  const std::vector<std::string_view>& of_library = adaptive::policy_names();
  if (std::find(of_library.begin(), of_library.end(), name) != of_library.end())
    return adaptive::make_policy(name);
  std::string names;
  for (const std::string_view known : policy_names())
    names += (names.empty() ? "" : ", ") + std::string(known);
  throw Error(ErrorCode::not_found, "there is no policy \"" + std::string(name) + "\"", "--policy",
              "known: " + names);
}

const std::vector<std::string_view>& policy_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> result = adaptive::policy_names();
    for (const auto& entry : textbook) result.push_back(entry.first);
    return result;
  }();
  return names;
}

}  // namespace adaptive::replay
