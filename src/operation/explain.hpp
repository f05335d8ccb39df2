// Why a key runs what it runs.
#pragma once

#include <adaptive/explanation.hpp>
#include <adaptive/key.hpp>

namespace adaptive::inline v1::core {

struct OperationParts;

/// Explains a key that has as many values as the operation has dimensions. Thread-safe. A key without a state
/// is explained as it would start, and gets no state; for such a key it throws `Error` in a function of the
/// program that the operation calls.
Explanation explain(const OperationParts& operation, const Key& key);

}  // namespace adaptive::core
