// What the new keys of an operation start from: tables, keys of this run, and the model that predicts keys.
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
#include "operation/prediction_fit.hpp"
#include "prior/predictor.hpp"
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
      : spec_(spec), operation_(operation), locks_(locks), keys_(keys) {}

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
  /// `LearningOptions::candidates_max`.
  /// The model that the keys share takes the place of near keys once it is proven; with `by_model`, as soon
  /// as it knows two keys.
  StartingPoint start_of(const Key& key, Candidates& candidates, bool by_model) const;
  /// The starting point of a key that gets no state (`OperationSpec::max_keys`).
  StartingPoint start_of_refused(const Key& key, const Candidates& candidates) const;
  /// The starting point of a key that has a state. The caller holds the key's lock as well.
  StartingPoint start_again(const KeyLearner& key, std::span<const Neighbour> neighbours) const;

  /// The keys of this run from which `key` may borrow, among the latest `count` of them.
  std::vector<Neighbour> neighbours_of(const Key& key, std::size_t count = neighbours_max) const;

  /// The space of the candidates' parameters, shared by keys with the same candidates. Null if the parameters
  /// do not distinguish the candidates, or if the program has switched the model off.
  std::shared_ptr<const ParameterSpace> parameters_of(std::span<const std::uint32_t> candidates);

  /// What is expected of candidates before anything is known of a key. Keys with the same candidates share
  /// it. The first call creates the model that the keys share.
  std::shared_ptr<const Expectations> expectations_of(std::span<const std::uint32_t> candidates);

  /// Fits the predictor, and the model that the keys share if there is one, to everything that is known now,
  /// on the calling thread. Takes the lock itself and releases it during the fits; meanwhile new keys use the
  /// former ones. Not for the launch path.
  void fit();
  /// Posts such a fit to the worker thread, which runs it if this run has learned much since the latest fit.
  /// Takes no lock.
  void post_fit() noexcept;

 private:
  // This bounds the cost of a key's first call.
  static constexpr std::size_t neighbours_max = 2048;

  friend class ModelFit;
  friend class PredictionFit;

  Proof proof() const noexcept { return operation_.proof(); }
  /// Null if the operation does not predict keys.
  const Predictor* predictor() const noexcept {
    return spec_.nearest_limit >= 0.0 ? predictor_.get() : nullptr;
  }
  static void begin_by_model(StartingPoint& start, const OperationModel& model, const Key& key,
                             const Candidates& candidates);
  std::shared_ptr<const ParameterSpace> make_space(std::span<const std::uint32_t> candidates) const;
  std::span<const std::unique_ptr<KeyLearner>> keys_to_fit() const noexcept;
  /// Number of variants, summed over the keys, that tables or this run have measured.
  std::size_t count_measured() const;
  std::vector<KnownKey> known_keys() const;
  /// Whether this run has learned much since the latest fit.
  bool is_fit_due() const;
  /// The present variants, for a fit of the model that the keys share.
  ModelShape model_shape() const;
  /// What that fit learns from.
  ModelFit::Input model_input();
  /// The keys in it. `noise` becomes the law of all keys.
  std::vector<MeasuredKey> measured_keys(NoiseLaw& noise) const;
  /// The model that the keys share; the first call creates it, from nothing.
  std::shared_ptr<const OperationModel> model();
  void fit_model();
  /// Begins a fit: fills `known` with its input and returns its number.
  std::uint64_t begin_fit(std::vector<KnownKey>& known);
  /// Installs `fitted` and hands back the former predictor in its place. If a later fit has finished first,
  /// `fitted` stays as it is.
  void adopt(std::unique_ptr<Predictor>& fitted, std::uint64_t number) noexcept;

  const OperationSpec& spec_;
  OperationContext& operation_;
  OperationLocks& locks_;
  const KeyIndex& keys_;
  Seeds seeds_;
  std::atomic<bool> has_seeds_{false};
  std::unique_ptr<Predictor> predictor_;
  std::size_t measured_at_fit_ = 0;
  std::uint64_t fits_begun_ = 0;
  std::uint64_t fit_in_use_ = 0;  // number of the fit that created `predictor_`
  PredictionFit prediction_fit_{*this};
  ModelFit model_fit_{*this};
  // The candidates of the latest call of `parameters_of`, and their space.
  std::vector<std::uint32_t> latest_candidates_;
  std::shared_ptr<const ParameterSpace> latest_space_;
  // The same for `expectations_of`.
  std::vector<std::uint32_t> latest_expected_;
  std::shared_ptr<const Expectations> latest_expectations_;
};

}  // namespace adaptive::core
