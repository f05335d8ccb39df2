// The knowledge from which new keys of an operation start: tables, keys of this run, and the model over all
// keys.
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
  /// Whether there is any entry of a table. Takes no lock and needs none.
  bool has_seeds() const noexcept { return has_seeds_.load(std::memory_order_acquire); }
  /// The table entry of exactly this key, or null.
  const SeedEntry* find_seed(const Key& key) const noexcept { return seeds_.find(key); }

  /// The starting point of a new key. Removes all but the most promising `candidates`, if there are more than
  /// `LearningOptions::candidates_max`. The model that the keys share replaces near keys once it is proven;
  /// with `by_model`, it replaces near keys of this run as soon as it is fitted.
  StartingPoint start_of(const Key& key, Candidates& candidates, bool by_model) const;
  /// The starting point of a key that gets no state (`OperationSpec::max_keys`).
  StartingPoint start_of_refused(const Key& key, const Candidates& candidates) const;
  /// The starting point of a key that has a state. The caller holds the key's lock as well.
  StartingPoint start_again(const KeyLearner& key, std::span<const Neighbour> neighbours) const;

  /// The keys of this run from which `key` may borrow, among the latest `count` of them.
  std::vector<Neighbour> neighbours_of(const Key& key, std::size_t count = neighbours_max) const;

  /// The expectations of candidates before anything is known of a key. Keys with the same candidates share
  /// the object. The first call creates the model that the keys share.
  std::shared_ptr<const Expectations> expectations_of(std::span<const std::uint32_t> candidates);

  /// Fits the model that the keys share to everything that is known now, on the calling thread. Takes the
  /// lock itself and releases it during the fit; meanwhile new keys use the former model. Does nothing while
  /// nothing is known. Not for the launch path.
  void fit();
  /// Posts such a fit to the worker thread. Takes no lock of the operation.
  void post_fit() noexcept { operation_.shared_model.make_due(operation_.selector.worker); }

 private:
  // Maximum number of keys of this run that are searched for neighbours, which bounds the time of a key's
  // first call.
  static constexpr std::size_t neighbours_max = 2048;

  friend class ModelFit;

  Proof proof() const noexcept { return operation_.proof(); }
  /// The model that decides how a new key starts. Null if keys may not learn from each other, or if the model
  /// is not proven, unless `unproven`.
  std::shared_ptr<const OperationModel> model_to_ask(const Key& key, bool unproven) const;
  /// The starting point from tables, near keys and, unless it is null, the model.
  StartingPoint begin(const Key& key, const Candidates& candidates, std::span<const Neighbour> neighbours,
                      const OperationModel* model) const;
  std::span<const std::unique_ptr<KeyLearner>> keys_to_fit() const noexcept;
  /// Number of variants, summed over the keys, that tables or this run have measured.
  std::size_t count_measured() const;
  /// The present variants, for a fit of the model that the keys share.
  ModelShape model_shape() const;
  /// The data of a fit.
  ModelFit::Input model_input();
  /// The measured keys of a fit. Sets `noise` to the law of all keys.
  std::vector<MeasuredKey> measured_keys(NoiseLaw& noise) const;
  /// The model that the keys share. The first call creates it, without results.
  std::shared_ptr<const OperationModel> model();

  const OperationSpec& spec_;
  OperationContext& operation_;
  OperationLocks& locks_;
  const KeyIndex& keys_;
  Seeds seeds_;
  std::atomic<bool> has_seeds_{false};
  ModelFit model_fit_{*this};
  // The candidates and the result of the latest call of `expectations_of`.
  std::vector<std::uint32_t> latest_expected_;
  std::shared_ptr<const Expectations> latest_expectations_;
};

}  // namespace adaptive::core
