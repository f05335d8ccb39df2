// What the new keys of an operation start from: tables, keys of this run, and the model over all keys.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <adaptive/operation.hpp>
#include "learning/key/key_learner.hpp"
#include "operation/keys/candidates.hpp"
#include "operation/keys/key_index.hpp"
#include "operation/locks.hpp"
#include "operation/model_fit.hpp"
#include "prior/seed.hpp"
#include "prior/starting_point.hpp"

namespace adaptive::inline v1::core {

/// The caller of any member except `fit`, `post_fit` and `has_seeds` holds `OperationLocks::keys_and_seeds`.
/// The members take the locks of single keys themselves.
class PriorKnowledge {
 public:
  /// All arguments must outlive the object.
  PriorKnowledge(const OperationSpec& spec, OperationContext& operation, OperationLocks& locks,
                 const KeyIndex& keys) noexcept
      : spec_(spec), operation_(operation), locks_(locks), keys_(keys) {
    operation_.shared_model.fit_by(model_fit_);
  }

  /// Adds entries of tables. With `keep_old`, a key that has an entry already keeps it.
  void add_seeds(std::vector<SeedEntry> seeds, bool keep_old) {
    seeds_.add(std::move(seeds), keep_old);
    has_seeds_.store(!seeds_.entries().empty(), std::memory_order_release);
  }
  /// Whether there is any. Takes no lock and needs none.
  bool has_seeds() const noexcept { return has_seeds_.load(std::memory_order_acquire); }
  /// The table entry of exactly this key, or null.
  const SeedEntry* find_seed(const Key& key) const noexcept { return seeds_.find(key); }

  /// The starting point of a new key. Keeps only the most promising `candidates`, at most
  /// `LearningOptions::candidates_max`. The model that the keys share takes the place of near keys once it is
  /// proven; with `by_model`, it takes the place of near keys of this run as soon as it is fitted.
  StartingPoint start_of(const Key& key, Candidates& candidates, bool by_model) const;
  /// The starting point of a key that gets no state (`OperationSpec::max_keys`).
  StartingPoint start_of_refused(const Key& key, const Candidates& candidates) const;
  /// The starting point of a key that has a state. The caller holds the key's lock as well.
  StartingPoint start_again(const KeyLearner& key, std::span<const Neighbour> neighbours) const;

  /// The keys of this run from which `key` may borrow, among the latest `count` of them.
  std::vector<Neighbour> neighbours_of(const Key& key, std::size_t count = neighbours_max) const;

  /// What is expected of candidates before anything is known of a key. Keys with the same candidates share
  /// it. The first call creates the model that the keys share.
  std::shared_ptr<const Expectations> expectations_of(std::span<const std::uint32_t> candidates);

  /// Fits the model that the keys share to everything that is known now, on the calling thread. Takes the
  /// lock itself and releases it during the fit; meanwhile new keys use the former model. Does nothing while
  /// nothing is known. Not for the launch path.
  void fit();
  /// Posts such a fit to the worker thread. Takes no lock of the operation.
  void post_fit() noexcept { operation_.shared_model.make_due(operation_.selector.worker); }

 private:
  // This bounds the cost of a key's first call.
  static constexpr std::size_t neighbours_max = 2048;

  friend class ModelFit;

  Proof proof() const noexcept { return operation_.proof(); }
  /// The model that decides what new keys start with; null while it is not proven, unless `unproven`, and
  /// where keys may not learn from each other.
  std::shared_ptr<const OperationModel> model_to_ask(const Key& key, bool unproven) const;
  /// The starting point by tables, by near keys and, if there is a model, by the model.
  StartingPoint begin(const Key& key, const Candidates& candidates, std::span<const Neighbour> neighbours,
                      const OperationModel* model) const;
  std::span<const std::unique_ptr<KeyLearner>> keys_to_fit() const noexcept;
  /// Number of variants, summed over the keys, that tables or this run have measured.
  std::size_t count_measured() const;
  /// The present variants, for a fit of the model that the keys share.
  ModelShape model_shape() const;
  /// What that fit learns from.
  ModelFit::Input model_input();
  /// The keys in it. `noise` becomes the law of all keys.
  std::vector<MeasuredKey> measured_keys(NoiseLaw& noise) const;
  /// The model that the keys share; the first call creates it, from nothing.
  std::shared_ptr<const OperationModel> model();

  const OperationSpec& spec_;
  OperationContext& operation_;
  OperationLocks& locks_;
  const KeyIndex& keys_;
  Seeds seeds_;
  std::atomic<bool> has_seeds_{false};
  ModelFit model_fit_{*this};
  // The candidates of the latest call of `expectations_of`, and what is expected of them.
  std::vector<std::uint32_t> latest_expected_;
  std::shared_ptr<const Expectations> latest_expectations_;
};

}  // namespace adaptive::core
