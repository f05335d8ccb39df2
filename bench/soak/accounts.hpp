// Whether the counters of a run add up, and nothing has grown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "bench/soak/process.hpp"
#include "bench/soak/serving.hpp"

namespace adaptive::bench {

/// Checks of numbers. Prints each one that does not hold.
class Accounts {
 public:
  void equal(const std::string& what, double found, double expected);
  void between(const std::string& what, double found, double least, double most);

  int held() const noexcept { return held_; }
  int broken() const noexcept { return broken_; }

 private:
  int held_ = 0;
  int broken_ = 0;
};

/// What the library has counted of an operation, against what the program did. No thread launches any more.
void check_counters(Accounts& accounts, const Serving& serving, std::size_t which);
/// The text that Prometheus gets, and what `adaptive top --json` prints of the same selector, against the
/// counters of the operations.
void check_metrics(Accounts& accounts, const Serving& serving, const std::string& text);
void check_top(Accounts& accounts, const Serving& serving, const std::string& json,
               const std::string& selector);
/// The table that all savers have written: every result of the keys of `projection`, once.
void check_table(Accounts& accounts, const std::filesystem::path& table, std::uint64_t projection_results);
/// The audit file and its rotated ones: a line for each change.
void check_audit(Accounts& accounts, const std::filesystem::path& file, std::uint64_t promotions,
                 std::uint64_t demotions);
/// A moment of the run.
struct Moment {
  ProcessState process = {};
  std::uint64_t changes = 0;  ///< of incumbents so far
};

/// The moments of the run, without its beginning. From the first quarter to the last one, memory must not
/// grow by more than 1 MiB (2 % if that is more) and 1.5 KiB for each change of an incumbent: the history of
/// a key, of at most 16 changes, is in the records of the store, of which each saver and its store keep
/// copies. Descriptors and threads must not grow at all.
void check_growth(Accounts& accounts, const std::vector<Moment>& moments);

}  // namespace adaptive::bench
