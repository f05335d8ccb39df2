// Tests of mixed_bit_matmul on the GPU beyond those for every family.
#include "kernels/mixed_bit_matmul/cuda/problem.hpp"
#include "tests/kernels/cuda/support.hpp"

namespace adaptive::kernels::cuda {
namespace {

class MixedBit : public OnGpu {
 protected:
  const Family& family = *find_family("mixed_bit_matmul");
};

// The tolerance for every variant allows weights that are rounded to the type of the activations. The
// variants for few tokens do not round them and must keep the tolerance of the host family.
TEST_F(MixedBit, RoundsNothingBeforeTheSumUnlessItSaysSo) {
  for (const Shape& shape : family.test_shapes()) {
    if (shape[0] == 0) continue;
    const auto problem = family.make_problem(shape, {.seed = 5});
    const double tolerance = dynamic_cast<mixed_bit_matmul::MixedBitOnCuda&>(*problem).tolerance_unrounded();
    SCOPED_TRACE(problem->description());
    for (std::size_t v = 0; v < family.variant_count(); ++v) {
      const std::string& name = family.variant(v).name;
      if (!family.runs(v, shape) || name == "dequantise_cublaslt" || name.starts_with("wgmma") ||
          name.starts_with("split") || name.starts_with("balanced"))
        continue;
      SCOPED_TRACE(family.variant(v).name);
      ASSERT_EQ(problem->prepare(v, stream), LaunchStatus::ok);
      EXPECT_LE(problem->max_error(stream), tolerance);
    }
  }
}

}  // namespace
}  // namespace adaptive::kernels::cuda
