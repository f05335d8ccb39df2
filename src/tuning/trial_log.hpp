// trials.csv: every trial of a run, written as it happens, and what a killed run resumes from.
//
// One line a trial, the first line names the columns:
//
//   operation,shape,variant,parameters,phase,round,status,latency_us,launches,prepare_us,detail,is_best
//
// phase    candidate (lists what will be tried; round is its place), check, warm_up, race, confirm, or shape
//          (the shape as a whole could not be measured: status and detail say why)
// round    within the phase
// is_best  1 on every line of a shape's winner, once the run has ended; else 0
//
// Lines are appended by one write a round, so that a process killed at any moment loses no round but the one
// it was in. What it left half-written is ignored. A machine that loses its power may lose more.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/variant.hpp>

#include "tuning/bench/bench.hpp"

namespace adaptive::inline v1::tuning {

struct TrialRow {
  std::string operation = {};
  std::string shape = {};
  std::string variant = {};
  Parameters parameters = {};  ///< of candidates; else empty
  std::string phase = {};
  int round = 0;
  Trial trial = {};
  bool is_best = false;

  friend bool operator==(const TrialRow&, const TrialRow&) = default;
};

/// "instructions='avx2' split=true tile=64 x=0.5", sorted; quotes and backslashes in texts are escaped by
/// `\`.
std::string to_string(const Parameters& parameters);
/// The other way; throws `Error`.
Parameters parse_parameters(std::string_view text);

/// One line, without its end.
std::string to_csv(const TrialRow& row);
/// The lines and the names of their columns.
std::string print_trials(const std::vector<TrialRow>& rows);
/// Every complete and sound line; the rest is counted in `skipped`, or else is an `Error` with `source` and
/// the line. Throws `Error` where the text is none of ours.
std::vector<TrialRow> parse_trials(std::string_view text, const std::string& source,
                                   std::size_t* skipped = nullptr);
/// The same of a file, where what is not sound is skipped. Throws `Error` where it cannot be read. A file
/// that does not exist has no rows.
std::vector<TrialRow> read_trials(const std::filesystem::path& path, std::size_t* skipped = nullptr);

/// Thread-safe.
class TrialLog {
 public:
  /// Of nothing but memory.
  TrialLog();
  /// Reads what is there and appends to it; a half-written end is removed first. Throws `Error`.
  explicit TrialLog(std::filesystem::path path);
  TrialLog(const TrialLog&) = delete;
  TrialLog& operator=(const TrialLog&) = delete;
  ~TrialLog();

  /// Throws `Error` where the file cannot be written.
  void append(const std::vector<TrialRow>& rows);

  /// Rows from elsewhere take the place of what is here of their shape. Throws as append().
  void replace(const std::string& operation, const std::string& shape, const std::vector<TrialRow>& rows);

  /// All rows of a shape so far, in order.
  std::vector<TrialRow> rows(const std::string& operation, const std::string& shape) const;
  std::size_t size() const;

  /// Rewrites the file with is_best set for the winners: {operation, shape} -> variant.
  void finish(const std::map<std::pair<std::string, std::string>, std::string>& best);

 private:
  struct File;
  std::string text() const;
  void add(const std::vector<TrialRow>& rows);
  void write(const std::string& text);
  void rewrite();

  mutable std::mutex mutex_;
  std::filesystem::path path_;
  std::unique_ptr<File> file_;
  std::map<std::pair<std::string, std::string>, std::vector<TrialRow>> rows_;
  std::vector<std::pair<std::string, std::string>> order_;  // of first appearance
};

}  // namespace adaptive::tuning
