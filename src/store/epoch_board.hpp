// The decisions of rank 0 about the epochs of a job, in a store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <adaptive/store.hpp>

namespace adaptive::inline v1::table {

/// Which epochs begin at which boundary. Final for all boundaries up to `decided`, whatever is added later.
struct EpochDecisions {
  std::uint64_t decided = 0;
  /// The boundary at which each epoch begins, in their order; never falling.
  std::vector<std::uint64_t> begins = {};

  friend bool operator==(const EpochDecisions&, const EpochDecisions&) = default;
};

/// The store's group "ranks-JOB": one record with the decisions, which rank 0 replaces as a whole, so that a
/// reader sees all of a decision or nothing of it, and one record with the table of each epoch.
class EpochBoard {
 public:
  EpochBoard(std::shared_ptr<Store> store, std::string job);

  /// The decisions in the store; nothing before the first one. Throws `Error` if the store fails or holds
  /// something else.
  std::optional<EpochDecisions> read();
  /// The text of the table of an epoch, counted from 0, as the latest `read` found it; null if it had none.
  /// Valid until the next call of `read` or `write`.
  const std::string* table(std::size_t epoch) const;
  /// Reads what the store has, writes the tables that it lacks, then the decisions. Throws `Error` if the
  /// store fails; then the decisions have not been written.
  void write(const EpochDecisions& decisions, const std::vector<std::string>& tables);

  std::string name() const;

 private:
  std::shared_ptr<Store> store_;
  std::string group_;
  const Store::Records* records_ = nullptr;  // of the latest `read`; they belong to the store
};

}  // namespace adaptive::table
