// An operation whose keys a model can describe.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/selector/support.hpp"

namespace adaptive::test {

/// An operation with three tiles, of which the fastest depends on the key.
inline OperationSpec tiles() {
  OperationSpec spec = operation({});
  for (const std::int64_t tile : {16, 64, 256})
    spec.variants.push_back({.name = "t" + std::to_string(tile), .parameters = {{"tile", tile}}});
  return spec;
}

/// The latency of each tile for a key.
inline std::vector<double> tiles_ns(std::int64_t m) {
  std::vector<double> ns;
  for (const double tile : {16.0, 64.0, 256.0})
    ns.push_back(std::pow(static_cast<double>(m), 0.8) * (100.0 + tile / 4.0 + 800.0 / tile));
  return ns;
}

/// Whether the model over all keys says what a key that nobody has called starts with.
inline bool is_modelled(Operation& op) {
  return op.explain({3'000'000}).match.kind == MatchKind::predicted;
}

/// Launches each tile for fifteen keys.
inline void launch_all(Operation& op) {
  for (std::int64_t m = 1; m <= 16'384; m *= 2) learn(op, {m}, tiles_ns(m));
}

}  // namespace adaptive::test
