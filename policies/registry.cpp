// All policies of the library that have a name. To add a policy, add a line to `registry`.
#include <array>
#include <string>
#include <utility>

#include <adaptive/error.hpp>
#include <adaptive/policy.hpp>
#include "explore_first.hpp"
#include "fixed.hpp"
#include "gaussian.hpp"
#include "thompson.hpp"

namespace adaptive::inline v1 {
namespace {

using Make = std::unique_ptr<Policy> (*)();

template <class P>
std::unique_ptr<Policy> make() {
  return std::make_unique<P>();
}

constexpr auto registry = std::to_array<std::pair<std::string_view, Make>>({
    {"default", make<policies::Gaussian>},
    {"gaussian", make<policies::Gaussian>},
    {"fixed", make<policies::Fixed>},
    {"explore-first", make<policies::ExploreFirst>},
    {"thompson", make<policies::Thompson>},
});

}  // namespace

PolicyFactory make_policy(std::string_view name) {
  for (const auto& [known, factory] : registry)
    if (known == name) return factory;
  std::string names;
  for (const auto& entry : registry) names += (names.empty() ? "" : ", ") + std::string(entry.first);
  throw Error(ErrorCode::not_found, "there is no policy \"" + std::string(name) + "\"", "make_policy",
              "known: " + names);
}

const std::vector<std::string_view>& policy_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> result;
    result.reserve(registry.size());
    for (const auto& entry : registry) result.push_back(entry.first);
    return result;
  }();
  return names;
}

}  // namespace adaptive
