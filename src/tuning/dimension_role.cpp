#include "tuning/dimension_role.hpp"

#include <array>
#include <utility>

namespace adaptive::inline v1::tuning {

Role role_of(std::string_view dimension) noexcept {
  static constexpr std::array<std::pair<std::string_view, Role>, 20> roles = {
      {{"tokens", Role::tokens},
       {"m", Role::tokens},
       {"n", Role::out},
       {"out_features", Role::out},
       {"k", Role::in},
       {"in_features", Role::in},
       {"hidden_size", Role::hidden},
       {"intermediate_size", Role::width},
       {"experts", Role::experts},
       {"groups", Role::experts},
       {"filled", Role::filled},
       {"row_tiles", Role::row_tiles},
       {"top_k", Role::top_k},
       {"expert_parallel", Role::expert_parallel},
       {"activation", Role::activation},
       {"dtype", Role::dtype},
       {"bits", Role::bits},
       {"scales", Role::scales},
       {"block_n", Role::block_n},
       {"block_k", Role::block_k}}};
  for (const auto& [name, role] : roles)
    if (name == dimension) return role;
  return Role::other;
}

}  // namespace adaptive::tuning
