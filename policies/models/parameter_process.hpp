// A Gaussian process over the parameters of a key's candidates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <Eigen/Cholesky>
#include <Eigen/Core>

#include <adaptive/parameter_space.hpp>

namespace adaptive::inline v1::policies {

/// What is known of a key's candidates, copied so that a fit needs no lock.
struct ParameterResults {
  struct Candidate {
    double location = 0.0;
    std::uint64_t count = 0;
  };
  std::vector<Candidate> candidates;
  std::shared_ptr<const ParameterSpace> parameters;
  double deviation = 0.0;      ///< of one log latency
  double outlier_share = 0.0;  ///< of the results
};

/// How smooth and how large the process is, and how far that is believed.
struct ProcessHypothesis {
  std::size_t length = 0;  ///< which of `ParameterProcess::lengths`
  double nugget = 0.0;     ///< variance that is a candidate's own, in units of what parameters explain
  double scale = 0.0;      ///< deviation of what parameters explain
  double share = 0.0;      ///< of the belief in all
};

/// Log latencies of candidates by their parameters, given results (Rasmussen and Williams, "Gaussian
/// Processes for Machine Learning", 2006, 2.2 and 2.7):
///
///     location = level + scale · (f + own),   cov f = matern(distance / length),   var own = nugget
///
/// with nothing assumed of the level, and results as exact as their number makes them.
class ParameterProcess {
 public:
  static constexpr std::array<double, 3> lengths{1.5, 4.0, 10.0};  // factors of two
  static constexpr std::array<double, 4> nuggets{0.01, 0.1, 1.0, 10.0};
  static constexpr std::array<double, 3> scales{0.05, 0.2, 0.8};
  /// Every combination, none of them weighed.
  static std::vector<ProcessHypothesis> hypotheses();

  /// Of a residual against what was expected: how far the result lies above it, and its variance.
  struct Errors {
    Eigen::VectorXd above;
    Eigen::VectorXd variance;
  };
  struct Expected {
    Eigen::VectorXd mean;
    Eigen::VectorXd variance;
    double unexplained = 0.0;  ///< share of the variance that is not in the parameters
  };

  /// `known` have results; `unknown` are those that something is to be expected of.
  ParameterProcess(const ParameterResults& key, std::span<const std::size_t> known,
                   std::span<const std::size_t> unknown);

  /// Believes in each as far as the results make it likely, and drops those that are far less likely than the
  /// likeliest.
  void weigh(std::vector<ProcessHypothesis>& hypotheses);

  /// Of `unknown`, averaged over the hypotheses.
  Expected expect(std::span<const ProcessHypothesis> hypotheses);

  /// Each of `known` against what the others let expect, by the likeliest hypothesis (section 5.4.2).
  Errors leave_one_out(std::span<const ProcessHypothesis> hypotheses);

 private:
  struct Likeness {
    Eigen::MatrixXd known;    // of `known` with each other
    Eigen::MatrixXd unknown;  // with a column for each of `unknown`
  };

  const Likeness& likeness(std::size_t length);
  /// Takes up a hypothesis for what follows; its log likelihood up to what is common to all.
  double assume(const ProcessHypothesis& h);

  Eigen::VectorXd results_;
  Eigen::VectorXd noise_;
  Eigen::MatrixXd distances_;
  Eigen::MatrixXd distances_to_unknown_;
  std::array<Likeness, lengths.size()> likenesses_;

  // Of the hypothesis that was taken up last.
  Eigen::LLT<Eigen::MatrixXd> covariance_;
  Eigen::VectorXd of_level_;  // covariance⁻¹ · 1
  Eigen::VectorXd weights_;   // covariance⁻¹ · (results − level)
  double level_ = 0.0;
};

}  // namespace adaptive::policies
