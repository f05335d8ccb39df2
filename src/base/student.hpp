// Student's t: how far a mean of few results may be off.
#pragma once

namespace adaptive::core {

/// The value that a variable of Student's distribution exceeds with probability `tail`, in (0, 0.5], where
/// the deviation was estimated with `freedom` > 0 degrees of freedom. Thread-safe.
double student_quantile(double tail, double freedom) noexcept;

}  // namespace adaptive::core
