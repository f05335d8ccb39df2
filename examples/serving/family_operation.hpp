#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <adaptive/operation.hpp>

#include "kernels/family.hpp"

// Makes an operation of any kernel family, without knowing its name.

namespace serving {

namespace kernels = adaptive::kernels;

struct FamilyOperation {
  const kernels::Family* family = nullptr;
  adaptive::OperationSpec spec = {};
  /// The family's index of each variant of the operation. Variants that this processor cannot run are left
  /// out.
  std::vector<std::size_t> family_variants = {};
};

/// `padded` names the sizes that keys round up to a power of two, because the program pads them in the same
/// way.
FamilyOperation make_operation(const kernels::Family& family, const std::vector<std::string>& padded = {});

adaptive::Key key_of(const kernels::Shape& shape);
kernels::Shape shape_of(const adaptive::Key& key);

}  // namespace serving
