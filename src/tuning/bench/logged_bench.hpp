// A bench that takes trials from the log; it measures and logs those that are missing. Given its trials, a
// race is deterministic. So a race with this bench continues where a killed one stopped, and a race whose
// trials are all in the log can be repeated without a device, for reports.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "tuning/bench/bench.hpp"
#include "tuning/trial_log.hpp"

namespace adaptive::inline v1::tuning {

class LoggedBench final : public Bench {
 public:
  /// Opens the real bench. Called only if a trial is not in the log.
  using Opener = std::function<std::unique_ptr<Bench>()>;

  /// `log` must outlive this object.
  LoggedBench(TrialLog& log, std::string operation, std::string shape, Opener open);

  /// For a log that an earlier version of the software began: from now on the candidates are the present
  /// ones, and the log says so. Trials of a candidate that still has its parameters are kept, but for those
  /// of the confirmation, which compares the best candidates with each other. Returns whether anything
  /// differs. Has no effect, and does not call `present`, if the log does not list candidates. Called before
  /// any other function.
  bool relist(const std::function<std::vector<Candidate>()>& present);

  /// Throws `Error` if the log lists other candidates than the real bench.
  const std::vector<Candidate>& candidates() override;
  double bytes() override;
  double operations() override;
  Trial check(std::size_t candidate) override;
  std::vector<Trial> round(const Round& round) override;

  /// Number of trials that were measured and not read from the log.
  std::size_t measured() const noexcept { return measured_; }

 private:
  Bench& real();
  void list(const std::vector<Candidate>& candidates);
  void forget_changed(const std::vector<Candidate>& before);
  TrialRow row(std::size_t candidate, std::string_view phase, int round, Trial trial) const;
  const Trial* find(std::string_view phase, int round, const std::string& variant) const;

  TrialLog& log_;
  std::string operation_, shape_;
  Opener open_;
  std::unique_ptr<Bench> real_;
  std::optional<Trial> failure_;  // set if the shape as a whole could not be measured
  std::vector<Candidate> candidates_;
  double bytes_ = 0.0, operations_ = 0.0;
  std::map<std::tuple<std::string, int, std::string>, Trial> known_;
  std::size_t measured_ = 0;
};

}  // namespace adaptive::tuning
