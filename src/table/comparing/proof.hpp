// What the measurements of one key prove against its incumbent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// How sure a comparison of two variants has to be (`LearningOptions`).
struct Proof {
  double error = 0.01;
  double indifference = 0.01;
};

/// Standard deviation of the logarithm of a latency that was measured on this very device and software, from
/// one run to another.
constexpr double trusted_deviation = 0.02;

/// What a proof takes of the measurements of one variant.
struct Measured {
  std::uint64_t count = 0;
  double compared_ns = 0.0;  ///< the robust location, or the mean where it is not known
  double mean_ns = 0.0;
  double variance_ns2 = 0.0;
  bool eligible = true;  ///< false: it only tells the noise, for it has failed or cannot run
};

/// The index of the variant that is surely faster than the variant `incumbent`; the fastest of them. Nothing
/// if there is none, or if the incumbent was not measured.
///
/// The confidence limits of the locations must lie apart by more than the indifference zone, and by what such
/// a latency may be off by besides its noise: three times `run_deviation`, since the two may stem from
/// different runs. The plain mean must not contradict: a variant with a heavy tail is not faster.
std::optional<std::size_t> proven_faster(std::span<const Measured> variants, std::size_t incumbent,
                                         const Proof& proof, double run_deviation);

/// The variant that the entry stands for on the device and software of its table: the incumbent that it
/// names, unless the entry's own measurements prove another one to be faster. A table can come to that
/// without anybody's fault: it was merged, a run ended before its promotion was confirmed, or the run only
/// observed. Selectors begin with this variant, so everything else that is made of a table has to use it too.
/// Empty if the entry names no incumbent.
const std::string& lasting_incumbent(const Entry& entry);

}  // namespace adaptive::table
