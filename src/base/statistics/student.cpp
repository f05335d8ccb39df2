#include "base/statistics/student.hpp"

#include <boost/math/distributions/students_t.hpp>

namespace adaptive::inline v1::core {
namespace {

namespace policies = boost::math::policies;
// With these policies Boost does not throw, but returns infinity if a result cannot be computed.
using Quiet = policies::policy<
    policies::domain_error<policies::ignore_error>, policies::pole_error<policies::ignore_error>,
    policies::overflow_error<policies::ignore_error>, policies::evaluation_error<policies::ignore_error>>;

}  // namespace

double student_quantile(double tail, double freedom) noexcept {
  const boost::math::students_t_distribution<double, Quiet> distribution(freedom);
  return boost::math::quantile(boost::math::complement(distribution, tail));
}

}  // namespace adaptive::core
