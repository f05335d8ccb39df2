// A bench that answers from the log what the log holds, measures the rest and logs it. Since a race is
// deterministic given its trials, a race over this bench goes on where a killed one stopped; and a race whose
// trials are all in the log is told again without a device, for reports.
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

namespace adaptive::tuning {

class LoggedBench final : public Bench {
 public:
  /// Opens the real bench; called only where something is not in the log.
  using Opener = std::function<std::unique_ptr<Bench>()>;

  /// `log` must outlive this.
  LoggedBench(TrialLog& log, std::string operation, std::string shape, Opener open);

  /// Throws `Error` where the log lists other candidates than the real bench has.
  const std::vector<Candidate>& candidates() override;
  double bytes() override;
  double operations() override;
  Trial check(std::size_t candidate) override;
  std::vector<Trial> round(const Round& round) override;

  /// Trials that were measured, not read.
  std::size_t measured() const noexcept { return measured_; }

 private:
  Bench& real();
  TrialRow row(std::size_t candidate, std::string_view phase, int round, Trial trial) const;
  const Trial* find(std::string_view phase, int round, const std::string& variant) const;

  TrialLog& log_;
  std::string operation_, shape_;
  Opener open_;
  std::unique_ptr<Bench> real_;
  std::optional<Trial> failure_;  // of the shape as a whole
  std::vector<Candidate> candidates_;
  double bytes_ = 0.0, operations_ = 0.0;
  std::map<std::tuple<std::string, int, std::string>, Trial> known_;
  std::size_t measured_ = 0;
};

}  // namespace adaptive::tuning
