// Quantiles of Student's t distribution, for confidence intervals of few results.
#pragma once

namespace adaptive::inline v1::core {

/// The value that a variable of Student's t distribution with `freedom` > 0 degrees of freedom exceeds with
/// probability `tail`, in (0, 0.5]. Infinite if it cannot be computed. Thread-safe; does not throw.
double student_quantile(double tail, double freedom) noexcept;

}  // namespace adaptive::core
