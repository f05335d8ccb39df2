// The parts of an operation.
#pragma once

#include <utility>

#include <adaptive/operation.hpp>
#include "learning/operation_context.hpp"
#include "operation/keys/admission.hpp"
#include "operation/keys/candidates.hpp"
#include "operation/keys/forced_variants.hpp"
#include "operation/keys/key_index.hpp"
#include "operation/keys/passing_keys.hpp"
#include "operation/locks.hpp"
#include "operation/operation_spec.hpp"
#include "operation/prior_knowledge.hpp"

namespace adaptive::inline v1::core {

/// The parts of one operation. control.hpp has the changes that a program makes while it runs; explain.hpp
/// and snapshot.hpp have what others read from the operation. The object must not move, since its parts refer
/// to each other.
struct OperationParts {
  /// Throws `Error` if the specification is invalid. `selector` and `by_size` must outlive the object.
  OperationParts(LearningContext& selector, OperationSpec operation_spec, KeyIndex::TablesBySize& by_size)
      : spec(checked(std::move(operation_spec))),
        context(selector, spec.name, spec.dimensions),
        keys(spec.dimensions, spec.max_keys, by_size) {
    for (Variant& variant : spec.variants) variants.append(std::move(variant), false);
    spec.variants.clear();
  }
  OperationParts(const OperationParts&) = delete;
  OperationParts& operator=(const OperationParts&) = delete;

  OperationSpec spec;  // constant; its variants have moved to `context`
  OperationContext context;
  mutable OperationLocks locks;
  KeyIndex keys;
  RunnableVariants variants{spec, context};
  PriorKnowledge prior{spec, context, locks, keys};  // guarded by `locks.keys_and_seeds`
  ForcedVariants forced;                             // guarded by `locks.keys_and_seeds`
  Admission admission{spec, context, locks, keys, variants, prior, forced};
  PassingKeys passing{spec, context, locks, keys, variants, prior, admission};
};

}  // namespace adaptive::core
