// What an operation's new keys start from: tables, keys of this run, and the model that predicts keys.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <adaptive/operation.hpp>
#include "learning/key_learner.hpp"
#include "operation/candidates.hpp"
#include "operation/key_index.hpp"
#include "operation/locks.hpp"
#include "operation/prediction_fit.hpp"
#include "prior/predictor.hpp"
#include "prior/seed.hpp"
#include "prior/starting_point.hpp"

namespace adaptive::inline v1::core {

/// All members but `fit` and `post_fit` need `OperationLocks::keys_and_seeds`, and take the locks of single
/// keys themselves.
class PriorKnowledge {
 public:
  /// All must outlive the object.
  PriorKnowledge(const OperationSpec& spec, OperationContext& operation, OperationLocks& locks,
                 const KeyIndex& keys) noexcept
      : spec_(spec), operation_(operation), locks_(locks), keys_(keys) {}

  /// Adds entries of tables. A key that has an entry already keeps it where `keep_old`.
  void add_seeds(std::vector<SeedEntry> seeds, bool keep_old) { seeds_.add(std::move(seeds), keep_old); }
  /// The entry of this very key in a table, or null.
  const SeedEntry* find_seed(const Key& key) const noexcept { return seeds_.find(key); }

  /// The starting point of a new key. Leaves only the most promising of the `candidates`
  /// (`LearningOptions::candidates_max`).
  StartingPoint start_of(const Key& key, Candidates& candidates) const;
  /// The starting point of a key that gets no state (`OperationSpec::max_keys`).
  StartingPoint start_of_refused(const Key& key, const Candidates& candidates) const;
  /// The starting point of a key that has its state. The caller holds the key's lock as well.
  StartingPoint start_again(const KeyLearner& key, std::span<const Neighbour> neighbours) const;

  /// The keys of this run from which `key` may borrow.
  std::vector<Neighbour> neighbours_of(const Key& key) const;

  /// The space of the candidates' parameters, which keys with the same candidates share; null where the
  /// parameters do not tell the candidates apart, or the program does not want the model.
  std::shared_ptr<const ParameterSpace> parameters_of(std::span<const std::uint32_t> candidates);

  /// Fits the predictor to what is known by now, on the calling thread. Takes the lock itself, and lets go of
  /// it while it fits: new keys ask the former predictor meanwhile. Not for the launch path.
  void fit();
  /// Makes such a fit due on the worker thread, which makes it where this run has learned much since the
  /// latest fit. Takes no lock.
  void post_fit() noexcept;

 private:
  friend class PredictionFit;

  Proof proof() const noexcept { return operation_.proof(); }
  /// Null where nothing is to be predicted.
  const Predictor* predictor() const noexcept {
    return spec_.nearest_limit >= 0.0 ? predictor_.get() : nullptr;
  }
  std::shared_ptr<const ParameterSpace> make_space(std::span<const std::uint32_t> candidates) const;
  std::span<const std::unique_ptr<KeyLearner>> keys_to_fit() const noexcept;
  /// Number of variants, summed over the keys, that tables or this run have measured.
  std::size_t count_measured() const;
  std::vector<KnownKey> known_keys() const;
  /// Whether the run has learned much since the latest fit.
  bool is_fit_due() const;
  /// Begins a fit: fills in what the fit is to be made of, and returns its number.
  std::uint64_t begin_fit(std::vector<KnownKey>& known);
  /// Takes up a predictor and hands back the former one; hands back `fitted` itself where a later fit was
  /// done first.
  void adopt(std::unique_ptr<Predictor>& fitted, std::uint64_t number) noexcept;

  const OperationSpec& spec_;
  OperationContext& operation_;
  OperationLocks& locks_;
  const KeyIndex& keys_;
  Seeds seeds_;
  std::unique_ptr<Predictor> predictor_;
  std::size_t measured_at_fit_ = 0;
  std::uint64_t fits_begun_ = 0;
  std::uint64_t fit_in_use_ = 0;  // number of the fit that made `predictor_`
  PredictionFit prediction_fit_{*this};
  // The candidates that `parameters_of` was asked about last, and their space.
  std::vector<std::uint32_t> latest_candidates_;
  std::shared_ptr<const ParameterSpace> latest_space_;
};

}  // namespace adaptive::core
