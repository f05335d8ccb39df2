// trials.csv: every trial of a run, written as it happens. A killed run resumes from this file.
//
// Each trial is one line. The first line names the columns:
//
//   operation,shape,variant,parameters,phase,round,status,latency_us,launches,prepare_us,detail,is_best
//
// phase    candidate (lists what will be tried; round is its place), check, warm_up, race, confirm, or shape
//          (the shape as a whole could not be measured: status and detail say why)
// round    number of the round within the phase
// is_best  after the run has ended, 1 in every line of a shape's winner; otherwise 0
//
// Each round appends its lines with one write, so that a process killed at any moment loses only the current
// round. An incomplete line at the end is ignored. A machine that loses power may lose more.
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
  Parameters parameters = {};  ///< of candidates; otherwise empty
  std::string phase = {};
  int round = 0;
  Trial trial = {};
  bool is_best = false;

  friend bool operator==(const TrialRow&, const TrialRow&) = default;
};

/// Prints "instructions='avx2' split=true tile=64 x=0.5", sorted by name. Quotes and backslashes in texts are
/// escaped with `\`.
std::string to_string(const Parameters& parameters);
/// The reverse. Throws `Error`.
Parameters parse_parameters(std::string_view text);

/// One line without its line break.
std::string to_csv(const TrialRow& row);
/// The names of the columns, and the lines.
std::string print_trials(const std::vector<TrialRow>& rows);
/// Parses every complete and valid line. Invalid lines are counted in `skipped`; if that is null, an invalid
/// line is an `Error` with `source` and the line. Throws `Error` if the text is not a trial log.
std::vector<TrialRow> parse_trials(std::string_view text, const std::string& source,
                                   std::size_t* skipped = nullptr);
/// Does the same for a file, and skips invalid lines. Throws `Error` if the file cannot be read. A file that
/// does not exist has no rows.
std::vector<TrialRow> read_trials(const std::filesystem::path& path, std::size_t* skipped = nullptr);

/// The trials of a run. Thread-safe.
class TrialLog {
 public:
  /// A log only in memory.
  TrialLog();
  /// Reads the file and appends to it. First removes an incomplete line at the end. Throws `Error`.
  explicit TrialLog(std::filesystem::path path);
  TrialLog(const TrialLog&) = delete;
  TrialLog& operator=(const TrialLog&) = delete;
  ~TrialLog();

  /// Throws `Error` if the file cannot be written.
  void append(const std::vector<TrialRow>& rows);

  /// Replaces the rows of a shape by rows from another process. Throws as append() does.
  void replace(const std::string& operation, const std::string& shape, const std::vector<TrialRow>& rows);

  /// All rows of a shape so far, in order.
  std::vector<TrialRow> rows(const std::string& operation, const std::string& shape) const;
  std::size_t size() const;

  /// Rewrites the file and sets is_best for the winners: {operation, shape} -> variant.
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
  std::vector<std::pair<std::string, std::string>> order_;  // in order of first appearance
};

}  // namespace adaptive::tuning
