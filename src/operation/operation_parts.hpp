// What an operation is made of, behind its public face.
#pragma once

#include <utility>

#include <adaptive/operation.hpp>
#include "learning/operation_context.hpp"
#include "operation/admission.hpp"
#include "operation/candidates.hpp"
#include "operation/forced_variants.hpp"
#include "operation/key_index.hpp"
#include "operation/locks.hpp"
#include "operation/operation_spec.hpp"
#include "operation/prior_knowledge.hpp"

namespace adaptive::inline v1::core {

/// The parts of one operation. control.hpp has what the program changes while it runs, explain.hpp and
/// snapshot.hpp what leaves the operation. Never moved: the parts refer to each other.
struct OperationParts {
  /// Throws `Error` for an invalid specification. `selector` and `by_size` must outlive the object.
  OperationParts(LearningContext& selector, OperationSpec operation_spec, KeyIndex::TablesBySize& by_size)
      : spec(checked(std::move(operation_spec))),
        context(selector, spec.name, spec.dimensions),
        keys(spec.dimensions, spec.max_keys, by_size) {
    for (Variant& variant : spec.variants) variants.append(std::move(variant), false);
    spec.variants.clear();
  }
  OperationParts(const OperationParts&) = delete;
  OperationParts& operator=(const OperationParts&) = delete;

  OperationSpec spec;  // does not change any more; its variants have moved to `context`
  OperationContext context;
  mutable OperationLocks locks;
  KeyIndex keys;
  RunnableVariants variants{spec, context};
  PriorKnowledge prior{spec, context, locks, keys};  // belongs to the holder of `locks.keys_and_seeds`
  ForcedVariants forced;                             // as `prior`
  Admission admission{spec, context, locks, keys, variants, prior, forced};
};

}  // namespace adaptive::core
