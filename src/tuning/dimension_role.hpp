// What a dimension of a family means, by its name; shapes.hpp lists the names.
#pragma once

#include <cstdint>
#include <string_view>

namespace adaptive::inline v1::tuning {

enum class Role : std::uint8_t {
  tokens,
  out,
  in,
  hidden,  ///< of a whole layer: the width of its activations
  width,   ///< of a whole layer: the width between its projections
  experts,
  filled,
  row_tiles,
  top_k,
  expert_parallel,
  activation,
  dtype,
  bits,
  scales,
  block_n,
  block_k,
  other
};

Role role_of(std::string_view dimension) noexcept;

}  // namespace adaptive::tuning
