// Explains why a key runs the variant that it runs.
#pragma once

#include <adaptive/explanation.hpp>
#include <adaptive/key.hpp>

namespace adaptive::inline v1::core {

struct OperationParts;

/// Explains a key that has as many values as the operation has dimensions. Thread-safe. For a key without a
/// state, describes how the key would start, but creates no state; in this case it throws `Error` if called
/// from a function of the program that the operation has called.
Explanation explain(const OperationParts& operation, const Key& asked);

}  // namespace adaptive::core
