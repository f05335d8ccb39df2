// Makes learners for tests of the index.
#pragma once

#include <memory>

#include <adaptive/policy.hpp>
#include "learning/key/key_learner.hpp"

namespace adaptive {

/// Makes learners that have one candidate.
class Learners {
 public:
  Learners() { operation_.variants.append({.name = "only"}); }

  std::unique_ptr<core::KeyLearner> make(const Key& key = {}) {
    return std::make_unique<core::KeyLearner>(operation_, core::NewKey{.key = key, .candidates = {0}},
                                              make_policy("default")());
  }

 private:
  core::LearningContext selector_;
  core::OperationContext operation_{selector_, "operation", {}};
};

/// A learner whose address alone matters.
class AnyLearner {
 public:
  core::KeyLearner& get() { return *learner_; }

 private:
  Learners learners_;
  std::unique_ptr<core::KeyLearner> learner_ = learners_.make();
};

}  // namespace adaptive
